import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Manager, type SyncManager } from '../../src/managers.js';
import { managerCases } from './manager-cases.js';

let manager: SyncManager;

before(async () => {
  manager = await Manager();
});

after(async () => {
  await manager.shutdown();
});

managerCases({ name: 'furca', options: { timeout: 20_000 }, manager: () => manager });

test('a manager has nothing left of what its clients have let go of', { timeout: 20_000 }, async () => {
  assert.equal(await manager.numberOfObjects(), 0, await manager.debugInfo());
});
