import { test } from 'node:test';
import { processCases, runCase } from './process.js';

for (const [at, { title }] of processCases.entries()) {
  test(`forkserver: ${title}`, () => runCase(at, 'forkserver'));
}
