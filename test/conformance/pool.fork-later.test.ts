import { poolCases } from './pool-cases.js';
import { testForkedPools } from './pool-fork-runner.js';

// What comes before is in pool.fork.test.ts.
testForkedPools(poolCases.length >> 1, poolCases.length);
