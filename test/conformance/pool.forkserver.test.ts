import { testPools } from './pool-runner.js';

testPools('forkserver');
