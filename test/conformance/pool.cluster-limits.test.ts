import { runOnCluster } from './pool-cluster.js';
import { familyCases } from './pool-family.js';
import { limitCases } from './pool-limits.js';
import { perCallCases } from './pool-per-call.js';

runOnCluster([...familyCases, ...limitCases, ...perCallCases]);
