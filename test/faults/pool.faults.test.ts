import { FAULTS, testFault } from './pool-fault-cases.js';

for (const name of FAULTS) testFault('forkserver', name);
