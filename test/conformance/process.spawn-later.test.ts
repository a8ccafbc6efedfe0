import { test } from 'node:test';
import { processCases, runCase } from './process.js';

// What comes before is in process.spawn.test.ts.
for (const [at, { title }] of processCases.entries()) {
  if (at >= processCases.length >> 1) test(`spawn: ${title}`, () => runCase(at, 'spawn'));
}
