/** Flags of this process that must not reach its children: a debugger's port, code given on the command line, test and watch modes. */
const OWN_AFFAIR =
  /^--?(inspect|eval|print|check|test|watch|experimental-test|cpu-prof|heap-prof|single-threaded|v8-pool-size)/;
const TAKES_VALUE = new Set(['-e', '--eval', '-p', '--print', '-pe', '--input-type']);

/** The Node flags of this process that its children get too: loaders, conditions, heap limits and the like. */
export function inheritableFlags(): string[] {
  const flags: string[] = [];
  for (let i = 0; i < process.execArgv.length; i++) {
    const flag = process.execArgv[i] as string;
    if (TAKES_VALUE.has(flag)) {
      i++;
      continue;
    }
    if (!OWN_AFFAIR.test(flag) && !flag.startsWith('--input-type=')) flags.push(flag);
  }
  return flags;
}
