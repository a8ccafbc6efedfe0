import { runOnCluster } from './pool-cluster.js';
import { endingCases } from './pool-endings.js';
import { streamCases } from './pool-streams.js';

runOnCluster([...endingCases, ...streamCases]);
