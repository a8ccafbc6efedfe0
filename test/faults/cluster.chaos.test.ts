import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runChaos } from '../harness/cluster-chaos.js';
import { SEED, seeded } from '../harness/random.js';
import { whyNoRedis } from '../harness/redis.js';
import { redisBehindProxy } from '../harness/redis-links.js';

const ITEMS = 1000;
const MISFORTUNES = ['worker killed', 'worker killed', 'Redis killed', 'link cut'] as const;

// scripts/chaos-cluster.mjs is the long form.
test('workers and Redis that are killed and a link that is cut, each at some moment, cost no result, and none comes twice', {
  timeout: 115_000,
  skip: whyNoRedis(),
}, async () => {
  const random = seeded(SEED);
  const misfortunes = MISFORTUNES.map((what) => ({ after: 1 + Math.floor(random() * (ITEMS - 1)), what }));
  const said: string[] = [`FURCA_SEED=${SEED}`];
  const link = await redisBehindProxy();
  try {
    const { kills } = await runChaos(link, {
      ...{ items: ITEMS, workers: 3, misfortunes, cutMs: 1000, killEveryMs: Number.POSITIVE_INFINITY },
      say: (line) => said.push(line),
    });
    assert.equal(kills, 2);
  } catch (error) {
    throw new Error(said.join('\n'), { cause: error });
  } finally {
    await link.close();
  }
});
