export {
  type ClusterApplyAsyncOptions,
  type ClusterImapSettledOptions,
  type ClusterMapAsyncOptions,
  ClusterPool,
  type ClusterPoolEvents,
  type ClusterPoolStats,
} from './cluster/cluster-pool.js';
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
  ClusterCallOptions,
  ClusterConnection,
  ClusterImapOptions,
  ClusterMapOptions,
  ClusterOptions,
  ClusterPoolOptions,
} from './cluster/options.js';
