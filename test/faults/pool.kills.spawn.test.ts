import { testKills } from './pool-kill-cases.js';

testKills('spawn');
