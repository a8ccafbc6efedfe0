import { runOnCluster } from './pool-cluster.js';
import { errorCases } from './pool-errors.js';
import { refusalCases } from './pool-refusals.js';

runOnCluster([...errorCases, ...refusalCases]);
