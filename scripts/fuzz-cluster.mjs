// Gives a worker 10,000 damaged jobs, `node scripts/fuzz-cluster.mjs [count]` after a build: each must be refused, none may run, and the worker must
// serve on. `FURCA_SEED` repeats a run.
import { ClusterPool, ClusterWorker } from '../dist/src/cluster.js';
import { triple } from '../dist/test/fixtures/cluster-tasks.js';
import { Forger } from '../dist/test/harness/cluster-forgery.js';
import { mutated, SEED, seeded } from '../dist/test/harness/random.js';
import { TestRedis } from '../dist/test/harness/redis.js';

const count = Number(process.argv[2] ?? 10_000);
const app = new URL('../dist/test', import.meta.url);
const key = 'a key for this script alone';
const redis = await TestRedis.start();
console.log(`seed ${SEED}`);
let code = 1;
try {
  for (const [queue, known] of [
    ['signed', key],
    ['unsigned', undefined],
  ]) {
    const common = { connection: redis.url, queue, app, ...(known === undefined ? {} : { key: known }) };
    const worker = new ClusterWorker({ ...common, jobs: 1 });
    await worker.start();
    const forger = new Forger(redis.port, queue);
    const random = seeded(SEED);
    const good = forger.sealed({ ...forger.envelope(), run: 'nobody' }, known);
    for (let done = 0; done < count / 2; done += 500)
      await forger.addMany(
        Array.from({ length: 500 }, () => ({ e: Buffer.from(mutated(good, random)).toString('base64') })),
      );
    const refused = () => Object.values(worker.stats().refused).reduce((a, b) => a + b, 0);
    while (refused() + worker.stats().unwanted < count / 2)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const pool = new ClusterPool(common);
    const answer = await pool.apply(triple, [14]);
    // It counts what it has run a moment after it was delivered.
    while (worker.stats().items === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const { items } = worker.stats();
    console.log(
      queue,
      worker.stats().refused,
      `unwanted ${worker.stats().unwanted}`,
      `answer ${answer}, items run ${items}`,
    );
    if (answer !== 42 || items !== 1) throw new Error('a damaged job was run');
    await pool.close();
    await forger.close();
    await worker.close();
  }
  code = 0;
} finally {
  await redis.stop();
}
process.exitCode = code;
