import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AsTheyCome,
  type FinishedItems,
  type FinishedRun,
  InOrder,
} from '../../src/pool/jobs/finished-items.js';

const returned = (first: number, ...outcomes: unknown[]): FinishedRun => ({
  first,
  status: 'fulfilled',
  outcomes,
});
const threw = (first: number, error: unknown): FinishedRun => ({
  first,
  status: 'rejected',
  outcomes: [error],
});

function takeAll(items: FinishedItems): unknown[] {
  const taken: unknown[] = [];
  for (let item = items.take(); item !== undefined; item = items.take())
    taken.push(item.status === 'fulfilled' ? [item.index, item.value] : [item.index, 'threw', item.reason]);
  return taken;
}

test('items in order wait for the runs before them, and are counted until they are taken', () => {
  const items = new InOrder();
  items.add(returned(3, 'd', undefined));
  items.add(threw(2, 'c'));
  assert.equal(items.take(), undefined);
  assert.equal(items.size, 3);
  items.add(returned(0, 'a'));
  assert.deepEqual(takeAll(items), [[0, 'a']]);
  items.add(returned(1, 'b'));
  assert.deepEqual(takeAll(items), [
    [1, 'b'],
    [2, 'threw', 'c'],
    [3, 'd'],
    [4, undefined],
  ]);
  assert.equal(items.size, 0);
});

test('items as they come are taken run by run, however many were taken before', () => {
  const items = new AsTheyCome();
  items.add(returned(7, 'h', 'i'));
  items.add(threw(2, 'c'));
  assert.equal(items.size, 3);
  assert.deepEqual(takeAll(items), [
    [7, 'h'],
    [8, 'i'],
    [2, 'threw', 'c'],
  ]);
  for (let index = 0; index < 5000; index++) {
    items.add(returned(index, index));
    items.add(returned(index + 5000, index));
    assert.equal(items.take()?.index, index % 2 === 0 ? index / 2 : (index - 1) / 2 + 5000);
  }
  assert.equal(items.size, 5000);
  assert.equal(takeAll(items).length, 5000);
});

for (const items of [new InOrder(), new AsTheyCome()]) {
  test(`${items.constructor.name}: what is cleared in the middle of a run is gone`, () => {
    items.add(returned(0, 'a', 'b', 'c'));
    items.take();
    items.clear();
    assert.equal(items.size, 0);
    assert.equal(items.take(), undefined);
  });
}
