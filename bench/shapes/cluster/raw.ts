import { Queue, QueueEvents } from 'bullmq';
import { TestRedis } from '../../../test/harness/redis.js';
import type { Mode, Observation } from '../../runner/plan.js';
import { checkSum } from '../pool/counts.js';
import { end, start } from './children.js';
import { countsOf } from './counts.js';

/** Jobs that are added in one message. */
const AT_A_TIME = 1_000;

/** No-op items through plain BullMQ, each a job of its own, over two worker processes. */
export async function observeRaw(mode: Mode): Promise<Observation> {
  const { rawWarmUp, rawJobs } = countsOf(mode);
  const redis = await TestRedis.start();
  const connection = { host: '127.0.0.1', port: redis.port };
  const queue = new Queue<number>('raw', { connection });
  const events = new QueueEvents('raw', { connection });
  await events.waitUntilReady();
  const workers = [await start('raw-worker', [redis.port]), await start('raw-worker', [redis.port])];
  const run = async (count: number): Promise<number> => {
    let left = count;
    let sum = 0;
    const done = new Promise<void>((resolve) => {
      const onCompleted = ({ returnvalue }: { returnvalue: unknown }): void => {
        sum += Number(returnvalue);
        left -= 1;
        if (left > 0) return;
        events.off('completed', onCompleted);
        resolve();
      };
      events.on('completed', onCompleted);
    });
    const started = performance.now();
    for (let first = 0; first < count; first += AT_A_TIME) {
      const length = Math.min(AT_A_TIME, count - first);
      await queue.addBulk(Array.from({ length }, (_, at) => ({ name: 'item', data: first + at })));
    }
    await done;
    checkSum(sum, count);
    return performance.now() - started;
  };
  await run(rawWarmUp);
  const elapsed = await run(rawJobs);
  for (const worker of workers) await end(worker);
  await events.close();
  await queue.close();
  await redis.stop();
  return { metrics: { perSecond: (rawJobs / elapsed) * 1_000 } };
}
