import { poolCases } from './pool-cases.js';
import { testForkedPools } from './pool-fork-runner.js';

testForkedPools(0, poolCases.length >> 1);
