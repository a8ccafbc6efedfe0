import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'acorn';
import { countTree } from '../../examples/demo/count-tree.js';
import { ended, fixture, startNode } from '../fixtures/cli-command.js';

const DEMO = fixture('../../examples/demo/main.js');

test('the demo finds what is in the files of a folder, and the same in workers as in one process', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'furca-demo-'));
  try {
    for (let i = 0; i < 30; i++)
      writeFileSync(join(folder, `${i}.js`), 'export async function twice(xyz) {\n  await xyz;\n}\n');
    writeFileSync(join(folder, 'wrong.cjs'), 'this is no JavaScript');
    writeFileSync(join(folder, 'script.cjs'), 'const fs = require("fs"); return fs;');
    writeFileSync(join(folder, 'other.txt'), 'not looked at');
    const { code, stdout, stderr } = await ended(startNode([DEMO, folder]));
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, / files +32 +1 skipped/);
    assert.match(stdout, / functions +30 +30 async, 30 awaits/);
    assert.match(stdout, / longest function +3 lines +twice, \d+\.js:1/);
    assert.match(stdout, / one process +[\d.]+ s/);
    assert.match(stdout, / workers +[\d.]+ s .* times as fast/);
    assert.ok(!stdout.includes('\u001B'));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the demo says so when a folder holds no JavaScript', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'furca-demo-'));
  const { code, stderr } = await ended(startNode([DEMO, folder]));
  rmSync(folder, { recursive: true });
  assert.equal(code, 1);
  assert.match(stderr, /There is no JavaScript under/);
});

test('countTree counts functions, nesting and names', () => {
  const text = `
    import def from 'mod';
    class Tree { grow() { for (const leaf of this.all) { if (leaf) leaf(); else if (def) def(); } } }
    const walk = async () => { for await (const leaf of def) await leaf; };
    require('x'); import('y');
  `;
  const { names, longest, deepest, ...counts } = countTree(
    parse(text, { ecmaVersion: 'latest', sourceType: 'module', locations: true }),
  );
  assert.deepEqual(counts, { functions: 2, asyncFunctions: 1, awaits: 2, classes: 1, imports: 3 });
  assert.deepEqual([longest?.name, longest?.line], ['grow', 3]);
  assert.deepEqual([deepest.size, deepest.line], [3, 3]);
  assert.equal(names.get('leaf'), 5);
});
