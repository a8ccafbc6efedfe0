import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Manager, type SyncManager } from '../../src/managers.js';
import { eventually } from '../harness/watchdog.js';
import { managerCases } from './manager-cases.js';

let manager: SyncManager;

before(async () => {
  manager = await Manager();
});

after(async () => {
  await manager.shutdown();
});

managerCases({ name: 'furca', options: { timeout: 120_000 }, manager: () => manager });

test('a manager has nothing left of what its clients have let go of', { timeout: 120_000 }, async () => {
  await eventually('no object is left', async () => (await manager.numberOfObjects()) === 0).catch(async () =>
    assert.fail(await manager.debugInfo()),
  );
});
