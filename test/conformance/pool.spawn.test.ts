import { poolCases } from './pool-cases.js';
import { testPools } from './pool-runner.js';

testPools('spawn', {}, poolCases.slice(0, poolCases.length >> 1));
