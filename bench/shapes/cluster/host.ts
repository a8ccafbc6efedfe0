/** A worker machine's worth of processes: one worker with one process. Ends with the channel to who started it. */
import { ClusterWorker } from 'furca/cluster';

const [connection = '', queue = '', app = ''] = process.argv.slice(2);
const worker = new ClusterWorker({ connection, queue, app, jobs: 1 });
await worker.start();
process.once('disconnect', () => void worker.close());
// Where the flag is given, memory is looked at without what is garbage already.
process.on('message', () => {
  (globalThis as { gc?: () => void }).gc?.();
  process.send?.({ pids: [process.pid, ...worker.stats().pids] });
});
process.send?.('up');
