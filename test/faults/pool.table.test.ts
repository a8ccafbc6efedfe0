import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellOf, KINDS, PHASES } from './fault-table.js';
import { FAULTS, testTable } from './fault-table-cases.js';

testTable('process');

test('every cell that cannot be says why', () => {
  const cells = KINDS.flatMap((kind) =>
    PHASES.flatMap((phase) => FAULTS.map((fault) => cellOf(kind, phase, fault))),
  );
  assert.equal(cells.length, 96);
  assert.equal(cells.filter(({ ends }) => ends === 'is impossible').length, 12);
  for (const cell of cells) if (cell.ends !== 'rejects') assert.match(cell.because, /\w{3}/);
});
