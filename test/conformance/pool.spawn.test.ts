import { testPools } from './pool-runner.js';

testPools('spawn');
