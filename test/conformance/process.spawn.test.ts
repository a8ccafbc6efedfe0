import { test } from 'node:test';
import { processCases, runCase } from './process.js';

// The other half is in process.spawn-later.test.ts: spawned children start slowly, and each file has only so much time.
for (const [at, { title }] of processCases.entries()) {
  if (at < processCases.length >> 1) test(`spawn: ${title}`, () => runCase(at, 'spawn'));
}
