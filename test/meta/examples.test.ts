import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { transformSync } from 'esbuild';
import { root, sources } from './sources.js';

interface Example {
  /** The exported thing it stands at. */
  readonly of: string;
  readonly path: string;
  readonly lines: readonly string[];
}

/** Longest time for one example: a guard against hangs. */
const LIMIT_MS = 120_000;

/** Examples that are not run. */
const SKIPPED: ReadonlyMap<string, string> = new Map([
  ['currentTask', 'it imports the package in the worker, and there are two copies of it here'],
  ['setForkserverPreload', 'it names a module of the user’s program'],
]);

/** What an example takes for granted in the program around it. */
const SURROUNDINGS: ReadonlyMap<string, string> = new Map([
  ['isMain', 'const main = async () => {};'],
  ['registerAtFork', 'const server = { close() {} };'],
]);

const examples: readonly Example[] = sources.flatMap(({ path, text }) =>
  [...text.matchAll(/@example\n((?:\s*\* ?.*\n)+?)\s*\*(?:\/|\s*@[\s\S]*?\*\/)\n\s*(.*)/g)].map(
    ([, block = '', next = '']) => ({
      of:
        /(?:class|async function|static async|function|const|async|static|get)\s+(\w+)/.exec(next)?.[1] ??
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

/** Imports for all names that an example uses and the doors, or the file it stands in, export. */
async function importsFor(example: Example): Promise<string> {
  // Two doors have a `wait`: the one that the example is about comes first.
  const own = example.path.startsWith('futures/') ? ['futures.ts'] : [];
  const doors = [...own, 'index.ts', 'os.ts', 'subprocess.ts', 'connection.ts', 'managers.ts'];
  const files = [...doors, example.path].map((path) => `${root}dist/src/${path.replace(/\.ts$/, '.js')}`);
  if (example.path.startsWith('wire/'))
    files.push(
      `${root}dist/src/wire/codec.js`,
      `${root}dist/src/wire/errors.js`,
      `${root}dist/src/wire/functions.js`,
    );
  const code = example.lines.join('\n');
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

const folder = mkdtempSync(join(tmpdir(), 'furca-examples-'));
after(() => rmSync(folder, { recursive: true }));

test('there are examples, and every one that is skipped is still there', () => {
  assert.ok(examples.length >= 15, `only ${examples.length} were found`);
  const names = examples.map(({ of }) => of);
  assert.deepEqual(
    [...SKIPPED.keys(), ...SURROUNDINGS.keys()].filter((name) => !names.includes(name)),
    [],
  );
});

async function outcomeOf(
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

// They wait for processes more than they work.
describe('examples in comments', { concurrency: 3 }, () => {
  examples.forEach((example, at) => {
    const options = { timeout: LIMIT_MS + 10_000, skip: SKIPPED.get(example.of) ?? false };
    test(`the example of ${example.of} (${example.path}) runs and gives what it says`, options, async () => {
      const body = [SURROUNDINGS.get(example.of) ?? '', ...example.lines.map(asserted)].join('\n');
      const compiled = transformSync((await importsFor(example)) + body, {
        loader: 'ts',
        target: 'es2022',
        format: 'esm',
      });
      const program = join(folder, `example-${at}.mjs`);
      writeFileSync(program, compiled.code);
      const { code, output } = await outcomeOf(program);
      assert.equal(code, 0, `${output}\n${compiled.code}`);
    });
  });
});
