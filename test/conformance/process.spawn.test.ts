import { test } from 'node:test';
import { processCases, runCase } from './process.js';

for (const [at, { title }] of processCases.entries()) {
  test(`spawn: ${title}`, () => runCase(at, 'spawn'));
}
