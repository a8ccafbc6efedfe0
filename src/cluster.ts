export { ClusterPool } from './cluster/cluster-pool.js';
export {
  type ClusterItem,
  ClusterQueue,
  type ClusterQueueOptions,
  type ClusterQueueStats,
} from './cluster/cluster-queue.js';
export {
  ClusterWorker,
  type ClusterWorkerEvents,
  type ClusterWorkerOptions,
  type ClusterWorkerStats,
} from './cluster/cluster-worker.js';
export type {
  ClusterApplyAsyncOptions,
  ClusterCallOptions,
  ClusterConnection,
  ClusterImapOptions,
  ClusterImapSettledOptions,
  ClusterMapAsyncOptions,
  ClusterMapOptions,
  ClusterOptions,
  ClusterPoolEvents,
  ClusterPoolOptions,
  ClusterPoolStats,
} from './cluster/pool-options.js';
