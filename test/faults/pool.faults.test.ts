import { testFault } from './pool-fault-cases.js';
import { faults } from './pool-faults.js';

for (const name of Object.keys(faults)) testFault('forkserver', name);
