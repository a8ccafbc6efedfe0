import { poolCases } from './pool-cases.js';
import { testPools } from './pool-runner.js';

// What comes before is in pool.spawn.test.ts.
testPools('spawn', {}, poolCases.slice(poolCases.length >> 1));
