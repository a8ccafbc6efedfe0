import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as furca from '../../src/index.js';
import * as subprocess from '../../src/subprocess.js';
import { root, sources } from './sources.js';

const definitions = sources.find(({ path }) => path === 'base/errors.ts')?.text ?? '';
const union = /type FurcaErrorCode =([^;]+);/.exec(definitions)?.[1] ?? '';
const codes = [...union.matchAll(/'(ERR_FURCA_[A-Z_]+)'/g)].map(([, code]) => code as string);

function rows(): Map<string, readonly string[]> {
  const lines = readFileSync(`${root}docs/errors.md`, 'utf8').split('\n');
  return new Map(
    lines
      .filter((line) => line.startsWith('| `ERR_'))
      .map((line) => {
        const cells = line
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map((cell) => cell.trim());
        return [(cells[0] ?? '').replaceAll('`', ''), cells.slice(1)];
      }),
  );
}

test('docs/errors.md has one row for every code, in order, and no other', () => {
  assert.ok(codes.length >= 18);
  assert.deepEqual([...rows().keys()], [...codes].sort());
});

test('every row of docs/errors.md says which class, when, what to do, and gives an example', () => {
  for (const [code, cells] of rows()) {
    assert.equal(cells.length, 4, code);
    assert.ok(
      cells.every((cell) => cell !== ''),
      code,
    );
    const name = (cells[0] ?? '').replaceAll('`', '');
    assert.ok(
      Object.hasOwn(furca, name) || Object.hasOwn(subprocess, name),
      `${code}: ${name} is exported by no door`,
    );
  }
});

test('every code is raised somewhere, or is the default of a class', () => {
  const all = sources
    .map(({ code }) => code)
    .join('\n')
    .replace(union, '');
  assert.deepEqual(
    codes.filter((code) => !all.includes(`'${code}'`)),
    [],
  );
});

test('every class of error is exported by the main door, and carries its name on the prototype', () => {
  const classes = [...definitions.matchAll(/^export (?:abstract )?class (\w+)/gm)].map(
    ([, name]) => name as string,
  );
  assert.ok(classes.length >= 12);
  for (const name of classes) {
    const found = (furca as Record<string, unknown>)[name] as { readonly prototype: Error } | undefined;
    assert.ok(found, `${name} is not exported`);
    assert.ok(Object.hasOwn(found.prototype, 'name'), name);
    assert.equal(found.prototype.name, name);
  }
});
