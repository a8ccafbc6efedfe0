import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

/** Tables of cases; each is a program of its own, see closures-table.ts. */
const TABLES = ['closures-cases', 'closures-more'] as const;

const WIRE = new URL('../../src/wire/family-message.js', import.meta.url).href;
const SOURCES = fileURLToPath(new URL('../../../test/fixtures/', import.meta.url));
const MAJOR = Number.parseInt(process.versions.node, 10);

function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

type Outcomes = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

function run(program: string, mode: 'send' | 'receive', input: string = ''): string {
  return execFileSync(process.execPath, ['--no-warnings', program, mode], {
    input,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, NODE_OPTIONS: '', FURCA_WIRE: WIRE },
    maxBuffer: 1 << 26,
  });
}

/** Cases that came out otherwise than the table says. */
function failuresOf(program: string, expectedToFail: readonly string[] = []): object {
  const text = run(program, 'send');
  const sent = JSON.parse(text) as Outcomes;
  const received = JSON.parse(run(program, 'receive', text)) as Outcomes;
  assert.ok(Object.keys(sent).length > 50);
  const wrong: Record<string, unknown> = {};
  for (const [name, outcome] of Object.entries(sent)) {
    const isRefused = typeof outcome === 'object' && 'refused' in outcome;
    const isSent = typeof outcome === 'object' && 'bytes' in outcome && received[name] === 'ok';
    if (!isRefused && !isSent && !expectedToFail.includes(name))
      wrong[name] = 'bytes' in Object(outcome) ? received[name] : outcome;
  }
  return wrong;
}

/** Node 20 gives undefined for a variable that has no value yet. */
const UNSEEN_ON_20 = MAJOR < 22 ? ['a variable that has no value yet'] : [];

const folder = mkdtempSync(join(tmpdir(), 'furca-closures-'));
after(() => rmSync(folder, { recursive: true, force: true }));

for (const table of TABLES) {
  test(`${table}: functions, classes and values of an ES module do in another process what they do here`, () => {
    assert.deepEqual(failuresOf(fixture(`${table}.js`), UNSEEN_ON_20), {});
  });

  test(`${table}: and those of a CommonJS module`, async () => {
    const program = await commonJs(table);
    assert.deepEqual(failuresOf(program, ['a variable that has no value yet', 'import.meta']), {});
  });

  test(`${table}: and those of TypeScript that Node runs itself`, { skip: MAJOR < 22 }, () => {
    assert.deepEqual(failuresOf(typeScript(table)), {});
  });

  test(`${table}: and those of minified JavaScript`, async () => {
    const program = await minified(table);
    assert.deepEqual(failuresOf(program, UNSEEN_ON_20), {});
  });

  test(`${table}: and those of one minified bundle`, async () => {
    const program = await bundled(table);
    assert.deepEqual(failuresOf(program, UNSEEN_ON_20), {});
  });
}

const HELPERS = ['closures-library', 'closures-default', 'closures-table'] as const;

/** Writes a table and what it imports, changed by `change`, into a folder; answers the program. */
async function written(
  name: string,
  table: string,
  extension: string,
  change: (source: string) => string | Promise<string>,
): Promise<string> {
  const into = join(folder, name);
  mkdirSync(into, { recursive: true });
  for (const file of [...HELPERS, table]) {
    const source = readFileSync(`${SOURCES}${file}.ts`, 'utf8');
    const code = await change(source.replaceAll(/\.\/(closures-\w+)\.js/g, `./$1.${extension}`));
    writeFileSync(join(into, `${file}.${extension}`), code);
  }
  cpSync(fixture('closures-common.cjs'), join(into, 'closures-common.cjs'));
  return join(into, `${table}.${extension}`);
}

function typeScript(table: string): string {
  const into = join(folder, 'ts');
  mkdirSync(into, { recursive: true });
  for (const file of [...HELPERS, table]) {
    const source = readFileSync(`${SOURCES}${file}.ts`, 'utf8');
    writeFileSync(join(into, `${file}.mts`), source.replaceAll(/\.\/(closures-\w+)\.js/g, './$1.mts'));
  }
  cpSync(fixture('closures-common.cjs'), join(into, 'closures-common.cjs'));
  return join(into, `${table}.mts`);
}

function commonJs(table: string): Promise<string> {
  return written('cjs', table, 'cjs', async (source) => {
    // What stands at the end of a table awaits at top level.
    const plain = source
      .replace(/^await runTable/m, 'void runTable')
      .replace('createRequire(import.meta.url)', 'require');
    const { code } = await transform(plain, {
      loader: 'ts',
      format: 'cjs',
      platform: 'node',
      target: 'node20',
    });
    return code;
  });
}

function minified(table: string): Promise<string> {
  return written('min', table, 'mjs', async (source) => {
    const { code } = await transform(source, {
      loader: 'ts',
      format: 'esm',
      target: 'node20',
      minify: true,
      keepNames: true,
    });
    return code;
  });
}

/** The table and all it imports as one file, as a program is put into a container or a function of a cloud. */
async function bundled(table: string): Promise<string> {
  const into = join(folder, 'bundle');
  mkdirSync(into, { recursive: true });
  cpSync(fixture('closures-common.cjs'), join(into, 'closures-common.cjs'));
  const outfile = join(into, `${table}.mjs`);
  await build({
    entryPoints: [`${SOURCES}${table}.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minify: true,
    keepNames: true,
    logLevel: 'error',
  });
  return outfile;
}
