import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { transformSync } from 'esbuild';
import { root, sources } from './sources.js';

export interface Example {
  /** The exported thing it stands at. */
  readonly of: string;
  readonly path: string;
  readonly lines: readonly string[];
}

/** Longest time for one example: a guard against hangs. */
export const LIMIT_MS = 120_000;

/** All examples in comments of src/. */
export const examples: readonly Example[] = sources.flatMap(({ path, text }) =>
  [...text.matchAll(/@example\n((?:\s*\* ?.*\n)+?)\s*\*(?:\/|\s*@[\s\S]*?\*\/)\n\s*(.*)/g)].map(
    ([, block = '', next = '']) => ({
      of:
        /(?:class|interface|async function|static async|function|const|async|static|get)\s+(\w+)/.exec(
          next,
        )?.[1] ??
        /(\w+)/.exec(next)?.[1] ??
        '',
      path,
      lines: block
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^\s*\* ?/, '')),
    }),
  ),
);

/** `expression; // => value` becomes an assertion; `const x = expression; // => value` one of `x`. */
function asserted(line: string): string {
  const found = /^(\s*)(?:const (\w+)(?::[^=]+)? = )?(.*?);?\s*\/\/ => (.*)$/.exec(line);
  if (found === null) return line;
  const [, indent = '', name, expression = '', expected = ''] = found;
  if (name !== undefined) return `${indent}const ${name} = ${expression}; deepEqual(${name}, ${expected});`;
  return `${indent}deepEqual(${expression}, ${expected});`;
}

const DOORS = ['index.ts', 'os.ts', 'subprocess.ts', 'connection.ts', 'managers.ts', 'cluster.ts'];

/** Imports for all names that an example uses and the doors, or the file it stands in, export. */
async function importsFor(example: Example, surroundings: string): Promise<string> {
  // Two doors have a `wait`: the one that the example is about comes first.
  const own = example.path.startsWith('futures/') ? ['futures.ts'] : [];
  const doors = [...own, ...DOORS];
  const files = [...doors, example.path].map((path) => `${root}dist/src/${path.replace(/\.ts$/, '.js')}`);
  if (example.path.startsWith('wire/'))
    files.push(
      `${root}dist/src/wire/codec.js`,
      `${root}dist/src/wire/errors.js`,
      `${root}dist/src/wire/functions.js`,
    );
  const code = [surroundings, ...example.lines].join('\n');
  const taken = new Set<string>();
  let lines = "import { deepStrictEqual as deepEqual } from 'node:assert';\n";
  for (const file of files) {
    const url = pathToFileURL(file).href;
    const exported = Object.keys((await import(url)) as object);
    const used = exported.filter((name) => new RegExp(`\\b${name}\\b`).test(code) && !taken.has(name));
    for (const name of used) taken.add(name);
    if (used.length > 0) lines += `import { ${used.join(', ')} } from '${url}';\n`;
  }
  return lines;
}

/** Makes an example a program that fails if a value is not what it says. */
export async function writeProgram(path: string, example: Example, surroundings: string): Promise<string> {
  const body = [surroundings, ...example.lines.map(asserted)].join('\n');
  const settings = { loader: 'ts', target: 'es2022', format: 'esm' } as const;
  const { code } = transformSync((await importsFor(example, surroundings)) + body, settings);
  writeFileSync(path, code);
  return code;
}

export async function outcomeOf(
  program: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  // Fork-ready, so that the examples of fork run too.
  const child = spawn(process.execPath, ['--single-threaded', '--v8-pool-size=1', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, output: `${stdout}${stderr}` };
}
