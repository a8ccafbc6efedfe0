/** A worker of plain BullMQ, one item for each job, as its documentation tunes it. Ends with the channel to who started it. */
import { Worker } from 'bullmq';

const [port] = process.argv.slice(2);
const worker = new Worker('raw', async (job) => job.data as number, {
  connection: { host: '127.0.0.1', port: Number(port) },
  concurrency: 64,
  removeOnComplete: { count: 0 },
});
worker.on('error', () => {});
await worker.waitUntilReady();
process.once('disconnect', () => void worker.close());
process.send?.('up');
