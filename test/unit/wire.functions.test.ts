import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { NotSendableError } from '../../src/base/errors.js';
import { decode, encode } from '../../src/wire/codec.js';
import {
  type AnyFunction,
  describeFunction,
  type FunctionDescriptor,
  loadFunction,
} from '../../src/wire/functions.js';
import * as library from '../fixtures/wire-library.js';

interface Refused {
  readonly refused: string;
  readonly code: string;
  readonly path: string;
}

function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

function run(name: string, args: readonly string[] = [], flags: readonly string[] = []): unknown {
  const output = execFileSync(process.execPath, [...flags, '--no-warnings', fixture(name), ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  return JSON.parse(output);
}

let described: Record<string, FunctionDescriptor & Refused> | null = null;

function entry(): Record<string, FunctionDescriptor & Refused> {
  described ??= run('wire-entry.js') as Record<string, FunctionDescriptor & Refused>;
  return described;
}

test('functions described in one process run in another', () => {
  const calls = {
    arrow: [[4], 8, 'arrow'],
    asyncArrow: [[4], 8, 'asyncArrow'],
    defaults: [[{ b: 2 }, [], 3], [1, 1, { b: 2 }, [3]], 'defaults'],
    recursive: [[5], 120, 'factorial'],
    hoisted: [[1], 7, 'hoisted'],
    classes: [[1], 2, 'classes'],
    globals: [[9], [3, '{"captured":9}', 'function', 7], 'globals'],
    dynamicImport: [[2], 6, 'dynamicImport'],
    sloppy: [[1], 'object1', 'anonymous'],
    plain: [[1], 2, 'plain'],
    later: [[1], 3, 'later'],
    computed: [[1], 4, 'computed'],
    quoted: [[1], 5, 'quoted name'],
    staticMethod: [[1], 6, 'plus'],
    sqrt: [[9], 3, 'sqrt'],
    parse: [['[1]'], [1], 'parse'],
    Number: [['12'], 12, 'Number'],
    exported: [[2], 6, 'times'],
    renamed: [[2], -1, 'hidden'],
    viaFactory: [[2], 12, ''],
    anonymous: [['a'], 'a/', 'default'],
    platform: [[], process.platform, ''],
    file: [[], fixture('wire-common.cjs'), 'file'],
    whole: [[2], 14, 'whole'],
  } as const;
  const args = Object.fromEntries(Object.entries(calls).map(([name, [given]]) => [name, given]));
  const results = run('wire-load.js', [JSON.stringify(entry()), JSON.stringify(args)]) as Record<
    string,
    unknown
  >;
  for (const [name, [, expected, functionName]] of Object.entries(calls)) {
    const [actualName, actual] = results[name] as [string, unknown];
    assert.deepEqual(actual, expected, name);
    if (functionName !== '') assert.equal(actualName, functionName);
  }
});

test('a text with a dynamic import() loads without a warning', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [fixture('wire-load.js'), JSON.stringify(entry()), '{"dynamicImport":[2]}'],
    { encoding: 'utf8', timeout: 60_000, env: { ...process.env, NODE_OPTIONS: '' } },
  );
  assert.deepEqual([status, stderr], [0, '']);
});

test('what captures nothing goes by value, what a module exports by reference, what is built in by name', () => {
  const kinds = Object.fromEntries(Object.entries(entry()).map(([name, { kind }]) => [name, kind]));
  for (const name of ['arrow', 'globals', 'plain', 'each', 'eachLater', 'staticMethod', 'dynamicImport']) {
    assert.equal(kinds[name], 'value', name);
  }
  for (const name of [
    'exported',
    'renamed',
    'viaFactory',
    'anonymous',
    'platform',
    'whole',
    'readFileSync',
  ]) {
    assert.equal(kinds[name], 'reference', name);
  }
  for (const name of ['sqrt', 'parse', 'Number']) assert.equal(kinds[name], 'global', name);
});

const refusals: Readonly<Record<string, RegExp>> = {
  captures:
    /function captures \(.*wire-entry\.js:\d+:\d+\) at args\.captures: it captures `captured`.*entry file/,
  shadowed: /it captures `performance`/,
  exportedHere: /it captures `captured`.*entry file/,
  notExported: /wire-library\.js.*captures `factor` and `performance`.*export it/,
  accessor: /getter or setter/,
  usesSuper: /`super`/,
  usesPrivate: /`#size`/,
  class: /it is a class/,
  bound: /bound function/,
  native: /native code/,
  outerArguments: /`arguments`/,
  outerThis: /`this`/,
  outerNewTarget: /`new\.target`/,
  importMeta: /`import\.meta`/,
  directEval: /`eval`/,
  unknownGlobal: /it captures `thing`/,
  properties: /properties of its own \(`cache`\)/,
  proxy: /Proxy/,
  notAFunction: /no function but of type number/,
};

for (const [name, pattern] of Object.entries(refusals)) {
  test(`describeFunction refuses a function with ${name} and says why`, () => {
    const { refused, code, path } = entry()[name] as Refused;
    assert.match(refused ?? '', pattern);
    assert.equal(code, 'ERR_FURCA_NOT_SENDABLE');
    assert.equal(path, `args.${name}`);
    assert.ok(!refused.includes('hunter2'));
  });
}

test('without the inspector functions go by value, and a refusal names the flag that helps', () => {
  const major = Number.parseInt(process.versions.node, 10);
  const permission = major < 24 ? '--experimental-permission' : '--permission';
  const results = run('wire-entry.js', [], [permission, '--allow-fs-read=*']) as Record<
    string,
    FunctionDescriptor & Refused
  >;
  assert.equal(results['arrow']?.kind, 'value');
  assert.equal(results['globals']?.kind, 'value');
  assert.equal(results['sqrt']?.kind, 'global');
  assert.match(results['exported']?.refused ?? '', /--allow-inspector/);
});

test('describeFunction keeps its result, and loadFunction gives the same function for the same text', async () => {
  const double = (x: number): number => x * 2;
  const descriptor = describeFunction(double);
  assert.equal(describeFunction(double), descriptor);
  const sent = decode(encode(descriptor)) as FunctionDescriptor;
  assert.deepEqual(sent, descriptor);
  assert.equal(await loadFunction(sent), await loadFunction(descriptor));
});

const badDescriptors: readonly unknown[] = [
  {
    kind: 'reference',
    url: new URL('../fixtures/wire-library.js', import.meta.url).href,
    exportName: 'toString',
  },
  { kind: 'reference', url: new URL('../fixtures/no-such.js', import.meta.url).href, exportName: 'x' },
  { kind: 'reference', url: 'not a url', exportName: 'x' },
  { kind: 'value', source: '(', name: 'x', url: null, strict: true },
  { kind: 'value', source: '42', name: 'x', url: null, strict: true },
  { kind: 'global', path: 'Math.nothing' },
  { kind: 'global', path: 'Math.constructor.constructor' },
  { kind: 'global', path: 'constructor' },
  { kind: 'other' },
  {},
  null,
];

for (const descriptor of badDescriptors) {
  test(`loadFunction refuses ${JSON.stringify(descriptor)?.replace(/file:[^"]*\//, '')}`, async () => {
    await assert.rejects(loadFunction(descriptor as FunctionDescriptor), (error: unknown) => {
      assert.ok(error instanceof NotSendableError, String(error));
      assert.equal(error.stage, 'receive');
      return true;
    });
  });
}

test('a module that failed to load is tried again the next time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'furca-wire-'));
  try {
    const file = join(folder, 'late.mjs');
    const descriptor: FunctionDescriptor = {
      kind: 'reference',
      url: pathToFileURL(file).href,
      exportName: 'late',
    };
    await assert.rejects(loadFunction(descriptor), (error: Error) => error.cause instanceof Error);
    writeFileSync(file, 'export const late = () => 7;');
    assert.equal((await loadFunction(descriptor))(), 7);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('an exported variable that holds another function by now is no reference to the first', () => {
  const [first, second] = library.replaced;
  assert.throws(() => describeFunction(first), NotSendableError);
  assert.deepEqual(describeFunction(second), {
    kind: 'reference',
    url: new URL('../fixtures/wire-library.js', import.meta.url).href,
    exportName: 'changing',
  });
});

test('names that only look free are not taken for captures', () => {
  const functions: readonly AnyFunction[] = [
    (a: { b: { c: number } }) => ({ c: a.b.c, b: [a].map(({ b }) => b) }),
    () => {
      const f = (g: number): number => (g > 0 ? f(g - 1) : g);
      return f;
    },
    (x: number) => {
      switch (x) {
        case 1: {
          const y = 1;
          return y;
        }
        default:
          return class Named {
            static self = Named;
            own = x;
          };
      }
    },
    async function* walk(from: number): AsyncGenerator<number> {
      for await (const x of [from]) yield* walk(x - 1);
    },
    (a = 1, b = a) => {
      outer: while (true) {
        for (const key in { a, b }) if (key) break outer;
      }
      const { a: renamed, ...rest } = { a, b };
      return [renamed, rest, `${a}`];
    },
  ];
  for (const fn of functions) assert.equal(describeFunction(fn).kind, 'value', String(fn));
});
