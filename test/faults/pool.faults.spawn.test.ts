import { testFault } from './pool-fault-cases.js';

// Starting a worker by spawn takes long; so it gets one fault of each kind.
for (const name of ['throws', 'exits', 'is killed', 'awaits for ever', 'awaits what nothing can settle'])
  testFault('spawn', name);
