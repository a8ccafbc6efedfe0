import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folderOf, type Import, imports, sources } from './sources.js';

/** A file imports from folders with a lower number and from its own; see ARCHITECTURE.md. */
const LAYERS: Readonly<Record<string, number>> = {
  base: 0,
  kernel: 1,
  pickle: 1,
  arena: 2,
  subprocess: 2,
  wire: 3,
  sync: 4,
  channel: 4,
  connection: 5,
  process: 5,
  manager: 6,
  threading: 6,
  pool: 7,
  futures: 8,
  cluster: 8,
  cli: 9,
  entry: 10,
};

/** Doors re-export from anywhere and are imported by the command alone. */
const DOORS = sources.filter(({ path }) => folderOf(path) === '').map(({ path }) => path);

/** Imports of src/ that break a rule for a reason, as `from -> to`. */
const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  [
    'cli/run.ts -> process/re-execute.ts',
    'replacing the running program is nothing a user of the doors needs',
  ],
]);

function isException({ from, to }: Import): boolean {
  return EXCEPTIONS.has(`${from} -> ${to}`);
}

const ownImports = imports.filter(({ to }) => to.endsWith('.ts'));

function show(found: readonly Import[]): string[] {
  return found.map(({ from, to }) => `${from} -> ${to}`);
}

test('every folder of src/ has its place among the layers', () => {
  const unknown = sources
    .map(({ path }) => folderOf(path))
    .filter((folder) => folder !== '' && !(folder in LAYERS));
  assert.deepEqual(unknown, []);
});

test('a file imports from lower layers and from its own folder only', () => {
  const wrong = ownImports.filter((one) => {
    const from = folderOf(one.from);
    const to = folderOf(one.to);
    if (from === '' || from === 'cli' || from === to || isException(one)) return false;
    return to === '' || (LAYERS[to] as number) >= (LAYERS[from] as number);
  });
  assert.deepEqual(show(wrong), []);
});

test('the command uses the doors alone, as any user would', () => {
  const wrong = ownImports.filter(
    (one) =>
      folderOf(one.from) === 'cli' &&
      folderOf(one.to) !== 'cli' &&
      !DOORS.includes(one.to) &&
      !isException(one),
  );
  assert.deepEqual(show(wrong), []);
});

test('nobody imports the programs of entry/', () => {
  assert.deepEqual(
    show(ownImports.filter(({ from, to }) => folderOf(to) === 'entry' && folderOf(from) !== 'entry')),
    [],
  );
});

test('every import of a file of ours names a file that is there', () => {
  const known = new Set(sources.map(({ path }) => path));
  assert.deepEqual(show(ownImports.filter(({ to }) => !known.has(to))), []);
});

test('every exception to the layers is still made use of', () => {
  assert.deepEqual(
    [...EXCEPTIONS.keys()].filter((key) => !show(ownImports).includes(key)),
    [],
  );
});

test('only kernel/ makes system calls through koffi', () => {
  assert.deepEqual(show(imports.filter(({ from, to }) => to === 'koffi' && folderOf(from) !== 'kernel')), []);
});

test('only arena/, sync/ and the gate of forked children use Atomics', () => {
  const users = sources.filter(({ code }) => /\bAtomics\s*\./.test(code)).map(({ path }) => path);
  assert.deepEqual(
    users.filter((path) => !['arena', 'sync'].includes(folderOf(path))),
    ['kernel/gate.ts'],
  );
});

test('only arena/ and sync/ reach into the words of shared memory', () => {
  const users = sources
    .filter(({ code }) => /\barena\.(words|floats|bigs)\b/.test(code))
    .map(({ path }) => path);
  assert.deepEqual(
    users.filter((path) => !['arena', 'sync'].includes(folderOf(path))),
    [],
  );
});

test('doors hold named re-exports only', () => {
  for (const { path, code } of sources.filter((one) => !/\/|fork-ready/.test(one.path))) {
    const rest = code.replace(/export\s+((type\s+)?\{[^}]*\}|\* as \w+)\s+from\s+'[^']+';/g, '');
    assert.equal(rest.trim(), '', path);
  }
  assert.deepEqual(
    sources.filter(({ code }) => /^export default\b/m.test(code)).map(({ path }) => path),
    [],
  );
});

test('no folder below src/ has a barrel, and no file is called utils, common, helpers, types or misc', () => {
  assert.deepEqual(
    sources
      .map(({ path }) => path)
      .filter((path) => /\/index\.ts$|(^|\/)(utils|common|helpers|types|misc)\.ts$/.test(path)),
    [],
  );
});
