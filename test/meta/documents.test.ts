import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import { transformSync } from 'esbuild';
import { globSync } from 'tinyglobby';
import { NEEDS_PYTHON } from '../harness/python.js';
import { root } from './sources.js';

/** What readers get to see; a block of code in any of them is run. */
const PAGES = globSync(['README*.md', 'CONTRIBUTING.md', 'docs/**/*.md', 'examples/README.md'], {
  cwd: root,
}).sort();

/** Longest time for one block or line: a guard against hangs. */
const LIMIT_MS = 120_000;

/** Languages of blocks that are no program: output, drawings. */
const NO_PROGRAM = new Set(['', 'text', 'json']);

interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** What a block takes for granted, from a comment `<!-- before this: ... -->` right above it. */
  readonly before: string;
}

function blocksOf(page: string): Block[] {
  const source = readFileSync(`${root}${page}`, 'utf8');
  const fences = /(?:<!-- before this: ([\s\S]*?) -->\n+)?^```(\w*)\n([\s\S]*?)^```$/gm;
  return [...source.matchAll(fences)].map((found) => {
    const [, before = '', language = '', code = ''] = found;
    return { page, line: source.slice(0, found.index).split('\n').length, language, code, before };
  });
}

const blocks = PAGES.flatMap(blocksOf);
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  readonly bin: Record<string, string>;
  readonly scripts: Record<string, string>;
};

const folder = mkdtempSync(join(tmpdir(), 'furca-documents-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A project with the package as it is built, where a reader would try the block. */
function project(name: string): string {
  const home = join(folder, name);
  mkdirSync(join(home, 'node_modules/.bin'), { recursive: true });
  symlinkSync(root, join(home, 'node_modules/furca'));
  symlinkSync(join(root, 'node_modules/acorn'), join(home, 'node_modules/acorn'));
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }\n');
  return home;
}

interface Printed {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(command: string, args: readonly string[], cwd: string): Promise<Printed> {
  const env = { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined, NO_COLOR: '1' };
  const child = spawn(command, args, {
    cwd,
    env,
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

/** Splits a block at lines such as `// tasks.ts`; what is in no file, or in the last, is the program. */
function filesOf({ code, before, language }: Block): Map<string, string> {
  const files = new Map<string, string>();
  let name = `main.${language}`;
  for (const line of code.split('\n')) {
    const named = /^\/\/ ([\w-]+\.m?[jt]s)$/.exec(line)?.[1];
    if (named !== undefined) name = named;
    else files.set(name, `${files.get(name) ?? ''}${line}\n`);
  }
  files.set(name, `${before}\n${files.get(name)}`);
  return files;
}

/** What comments behind `console.log(...)` say is printed, in this order, among other lines. */
function promised(code: string): string[] {
  return [...code.matchAll(/console\.log\(.*\);? +\/\/ (.*)$/gm)].map(([, expected = '']) => expected);
}

function assertPrints(stdout: string, code: string): void {
  const lines = stdout.split('\n');
  let at = 0;
  for (const expected of promised(code)) {
    const found = lines.indexOf(expected, at);
    assert.notEqual(found, -1, `'${expected}' is not printed, or too early, in:\n${stdout}`);
    at = found + 1;
  }
}

async function runProgram(block: Block, name: string): Promise<void> {
  const home = project(name);
  let program = '';
  for (const [file, code] of filesOf(block)) {
    program = join(home, file.replace(/ts$/, 'js'));
    const isTyped = file.endsWith('ts');
    const loader = isTyped ? 'ts' : 'js';
    // JavaScript must run as it stands; TypeScript as any compiler gives it for the oldest Node.
    const target = isTyped ? 'es2022' : 'esnext';
    const compiled = transformSync(code.replace(/(from '\.[^']*)\.ts'/g, "$1.js'"), {
      loader,
      target,
      format: 'esm',
    });
    writeFileSync(program, isTyped ? compiled.code : code);
  }
  for (const { code } of blocks.filter(({ page, language }) => page === block.page && language === 'python'))
    writeFileSync(join(home, /^# (\w+\.py)$/m.exec(code)?.[1] ?? 'main.py'), code);
  // Fork-ready, so that the programs that fork run too.
  const { code, stdout, stderr } = await run(
    process.execPath,
    ['--single-threaded', '--v8-pool-size=1', program],
    home,
  );
  assert.equal(code, 0, `${stdout}${stderr}`);
  assertPrints(stdout, block.code);
}

/** Commands that a reader runs once, and a test on every change would not: they install. */
const INSTALLS = new Set(['npm ci', 'npm install furca']);

/** Runs a line as it stands, with the command of this package and files that it may name. */
async function runLine(line: string, name: string): Promise<void> {
  if (INSTALLS.has(line)) return;
  const script = /^npm (?:run )?([\w:]+)/.exec(line)?.[1];
  if (script !== undefined) {
    assert.ok(Object.hasOwn(manifest.scripts, script), `there is no npm script ${script}`);
    return;
  }
  const home = project(name);
  mkdirSync(join(home, 'src'));
  writeFileSync(join(home, 'src/a.ts'), 'export const a = 1;\n');
  writeFileSync(
    join(home, 'parse.js'),
    'export const parse = (path) => path.length;\nexport default parse;\n',
  );
  for (const path of ['script', 'script.js', 'fork', 'src/main', 'examples/pool/main'])
    writeFileSync(
      at(home, path.endsWith('js') ? path : `${path}.js`),
      'console.log(process.execArgv.length);\n',
    );
  const node = JSON.stringify(process.execPath);
  const command = `${node} ${JSON.stringify(join(root, manifest.bin['furca'] as string))}`;
  // Node 20 runs no TypeScript, and a test no git.
  const runnable = line
    .replace(/\b(script|fork|main)\.ts\b/g, '$1.js')
    .replace(/\bgit ls-files\b/, 'ls')
    .replace(/^furca |\bnpx furca /g, `${command} `)
    .replace(/^npx esbuild/, `${root}node_modules/.bin/esbuild`)
    .replace(/^node scripts\//, `${node} ${root}scripts/`)
    .replace(/^node /, `${node} `);
  const { code, stdout, stderr } = await run('sh', ['-e', '-c', runnable], home);
  assert.equal(code, 0, `${runnable}\n${stdout}${stderr}`);
}

function at(home: string, path: string): string {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  return join(home, path);
}

describe('documents', { concurrency: 2 }, () => {
  blocks.forEach((block, index) => {
    const { page, line, language, code } = block;
    if (NO_PROGRAM.has(language)) return;
    // Run by the programs of the same page.
    if (language === 'python') return;
    if (language === 'ts' || language === 'js') {
      const skip = /python3/.test(code + block.before) ? NEEDS_PYTHON.skip : false;
      test(
        `${page}:${line}: the program runs, and prints what it says`,
        { timeout: LIMIT_MS + 10_000, skip },
        () => runProgram(block, `block-${index}`),
      );
      return;
    }
    assert.equal(language, 'sh', `${page}:${line}: how is ${language} to be run?`);
    const lines = code.split('\n').map((one) => one.replace(/\s+#.*$/, '').trim());
    for (const [number, one] of lines.filter((text_) => text_ !== '' && !text_.startsWith('#')).entries()) {
      test(`${page}:${line}: ${one}`, { timeout: LIMIT_MS + 10_000 }, () =>
        runLine(one, `line-${index}-${number}`),
      );
    }
  });
});

test('every page is read, and has what it should', () => {
  assert.ok(PAGES.includes('README.md') && PAGES.some((page) => page.startsWith('docs/')));
  assert.ok(blocks.filter(({ language }) => language === 'ts').length >= 12);
});

test('docs/migrating-from-python.md imports nothing that is not there', async () => {
  const page = readFileSync(`${root}docs/migrating-from-python.md`, 'utf8');
  const imports = [...page.matchAll(/^import \{ (.*) \} from 'furca(?:\/([\w-]+))?'/gm)];
  assert.ok(imports.length >= 6);
  for (const [line, names = '', door = 'index'] of imports) {
    const exported = (await import(`../../src/${door}.js`)) as object;
    assert.deepEqual(
      names.split(', ').filter((name) => !name.startsWith('type ') && !(name in exported)),
      [],
      line,
    );
  }
});
