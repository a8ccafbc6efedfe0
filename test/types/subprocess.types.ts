/**
 * Holds when it compiles: what the types of `furca/subprocess` promise. Nothing here is ever run.
 */
import {
  type CommandInput,
  type CommandOutputStream,
  call,
  checkOutput,
  checkOutputSync,
  getStatusOutput,
  PIPE,
  Popen,
  type RunOptions,
  run,
  runSync,
  STDOUT,
} from '../../src/subprocess.js';
import { type Equal, must } from './exactly.js';

export async function textDecidesWhatOutputIs(isText: boolean, any: RunOptions): Promise<void> {
  const buffers = await run(['ls'], { captureOutput: true });
  must<Equal<typeof buffers.stdout, Buffer>>();
  must<Equal<typeof buffers.stderr, Buffer>>();
  const texts = await run(['ls'], { captureOutput: true, text: true });
  must<Equal<typeof texts.stdout, string>>();
  const encoded = runSync('ls', { stdout: PIPE, encoding: 'latin-1' });
  must<Equal<typeof encoded.stdout, string>>();
  must<Equal<typeof encoded.stderr, null>>();
  const lenient = await run(['ls'], { stderr: PIPE, errors: 'replace' });
  must<Equal<typeof lenient.stdout, null>>();
  must<Equal<typeof lenient.stderr, string>>();
  const nothing = await run(['ls']);
  must<Equal<typeof nothing.stdout, null>>();
  const merged = await run(['ls'], { stdout: PIPE, stderr: STDOUT });
  must<Equal<typeof merged.stderr, null>>();
  const either = await run(['ls'], { captureOutput: true, text: isText });
  must<Equal<typeof either.stdout, string | Buffer>>();
  const unknown = await run(['ls'], any);
  must<Equal<typeof unknown.stdout, string | Buffer | null>>();
  const output = await checkOutput(['ls']);
  must<Equal<typeof output, Buffer>>();
  const text = checkOutputSync(['ls'], { text: true, stderr: STDOUT });
  must<Equal<typeof text, string>>();
  const status = await getStatusOutput('ls');
  must<Equal<typeof status, [returnCode: number, output: string]>>();
}

export async function popenHasTheStreamsThatAreAskedFor(): Promise<void> {
  const p = new Popen(['cat'], { stdin: PIPE, stdout: PIPE, text: true });
  must<Equal<typeof p.stdin, CommandInput>>();
  must<Equal<typeof p.stdout, CommandOutputStream>>();
  must<Equal<typeof p.stderr, null>>();
  must<Equal<typeof p.returnCode, number | null>>();
  const output = await p.communicate('input');
  must<Equal<typeof output, [stdout: string, stderr: null]>>();
  // @ts-expect-error - bytes where text is read
  await p.communicate(Buffer.from('input'));
  const q = new Popen(['cat'], { stdin: p.stdout, stdout: PIPE });
  const [bytes] = await q.communicate();
  must<Equal<typeof bytes, Buffer>>();
  // @ts-expect-error - text where bytes are read
  await q.communicate('input');
  // @ts-expect-error - numbers carry their unit: timeoutMs
  await q.wait({ timeout: 5 });
  // @ts-expect-error - nothing could abort a blocked thread
  q.waitSync({ signal: AbortSignal.timeout(5) });
  new Popen(['ls']).returnCode satisfies number | null;
}

export async function misuseDoesNotCompile(): Promise<void> {
  await run(['cat'], { input: 'text', text: true });
  await run(['cat'], { input: new Uint8Array(1) });
  // @ts-expect-error - text where bytes are read
  await run(['cat'], { input: 'text' });
  // @ts-expect-error - bytes where text is read
  await run(['cat'], { input: new Uint8Array(1), encoding: 'utf-8' });
  // @ts-expect-error - no such option
  await run(['cat'], { timeout: 5 });
  // @ts-expect-error - STDOUT is for stderr
  await run(['cat'], { stdout: STDOUT });
  // @ts-expect-error - no such way to take errors
  await run(['cat'], { errors: 'xmlcharrefreplace' });
  // @ts-expect-error - checkOutput sets it itself
  await checkOutput(['cat'], { check: true });
  // @ts-expect-error - call has no input
  await call(['cat'], { input: new Uint8Array(1) });
  // @ts-expect-error - a blocking form takes no signal
  runSync(['cat'], { signal: AbortSignal.timeout(5) });
  // @ts-expect-error - words are strings
  await run(['echo', 5]);
}
