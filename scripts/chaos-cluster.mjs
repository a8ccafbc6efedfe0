// What a cluster must bear: `node scripts/chaos-cluster.mjs [items] [cut ms]` after a build. While 100,000 items run, one of four
// workers is killed every second, if all have come up again, Redis twice, and the network between them and Redis is cut for 30 s: by a
// network namespace where the system permits it, else by a proxy. Every result must come once, right, in order.
import { runChaos } from '../dist/test/harness/cluster-chaos.js';
import { redisBehindProxy, redisInNamespace } from '../dist/test/harness/redis-links.js';

const [items = 100_000, cutMs = 30_000] = process.argv.slice(2).map(Number);
const link = await redisInNamespace().catch((error) => {
  console.log(`No network namespace (${error.message}): a proxy instead.`);
  return redisBehindProxy();
});
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => ending.abort(new Error(signal)));
const began = performance.now();
const seconds = () => Math.round((performance.now() - began) / 1000);
const say = (line) => console.log(`${seconds()} s: ${line}`);
say(`${items} items, Redis behind ${link.kind}`);
try {
  const { kills, stats } = await runChaos(link, {
    items,
    cutMs,
    workers: 4,
    killEveryMs: 1000,
    misfortunes: [
      { after: items * 0.2, what: 'Redis killed' },
      { after: items * 0.4, what: 'link cut' },
      { after: items * 0.6, what: 'Redis killed' },
    ],
    say,
    signal: ending.signal,
  });
  say(`all results, each once, right, in order; ${kills} workers killed; ${JSON.stringify(stats)}`);
} catch (error) {
  say(`FAILED: ${error.stack}`);
  process.exitCode = 1;
} finally {
  await link.close();
}
