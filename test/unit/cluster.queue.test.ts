import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Redis } from 'ioredis';
import { ClusterQueue } from '../../src/cluster.js';
import { TestRedis, whyNoRedis } from '../harness/redis.js';
import { eventually } from '../harness/watchdog.js';

describe('cluster queue', { skip: whyNoRedis() }, () => {
  let redis: TestRedis;
  before(async () => {
    redis = await TestRedis.start();
  });
  after(async () => {
    await redis?.stop();
  });

  function queueOn<Item>(
    name: string,
    more: { key?: string; visibilityTimeoutMs?: number } = {},
  ): ClusterQueue<Item> {
    return new ClusterQueue<Item>({ connection: redis.url, name, ...more });
  }

  /** Resolves once somebody waits in the engine for an item. */
  async function blocked(): Promise<void> {
    const client = new Redis(redis.port, '127.0.0.1', {});
    try {
      await eventually('somebody waits in the engine', async () =>
        /^blocked_clients:[1-9]/m.test(await client.info('clients')),
      );
    } finally {
      client.disconnect();
    }
  }

  test('items come in order, as data, each to one reader, and are gone when acknowledged', {
    timeout: 100_000,
  }, async () => {
    await using writer = queueOn<unknown>('order');
    await using reader = queueOn<unknown>('order');
    const waiting = reader.get();
    const items = [new Map([['a', 1n]]), new Date(5), 'last'];
    for (const item of items) await writer.put(item);
    const first = await waiting;
    assert.deepEqual(first.value, items[0]);
    assert.equal(first.deliveries, 1);
    const second = await reader.get();
    assert.deepEqual(second.value, items[1]);
    assert.deepEqual(await writer.stats(), { waiting: 1, unacknowledged: 2 });
    assert.equal(await reader.ack(first), true);
    assert.equal(await reader.ack(first), false);
    assert.equal((await writer.tryGet())?.value, 'last');
    assert.equal(await reader.tryGet(), undefined);
    assert.deepEqual(await writer.stats(), { waiting: 0, unacknowledged: 2 });
  });

  test('an item that is not acknowledged in time goes to somebody else', { timeout: 100_000 }, async () => {
    const dying = queueOn<string>('visible', { visibilityTimeoutMs: 200 });
    await dying.put('work');
    const held = await dying.get();
    await dying.close();
    await using other = queueOn<string>('visible', { visibilityTimeoutMs: 200 });
    const again = await other.get();
    assert.deepEqual({ ...again }, { value: 'work', id: held.id, deliveries: 2 });
    await other.ack(again);
    assert.deepEqual(await other.stats(), { waiting: 0, unacknowledged: 0 });
  });

  test('a wait ends by its time, its signal, or when the queue is closed', { timeout: 100_000 }, async () => {
    const queue = queueOn<string>('waits');
    await assert.rejects(queue.get({ timeoutMs: 50 }), { code: 'ERR_FURCA_TIMEOUT' });
    await assert.rejects(queue.get({ signal: AbortSignal.abort(new Error('enough')) }), {
      message: 'enough',
    });
    const controller = new AbortController();
    const aborted = assert.rejects(queue.get({ signal: controller.signal }), { message: 'later' });
    await blocked();
    controller.abort(new Error('later'));
    await aborted;
    const waiting = assert.rejects(queue.get(), { code: 'ERR_FURCA_CLOSED' });
    await blocked();
    await queue.close();
    await waiting;
    await assert.rejects(queue.put('x'), { code: 'ERR_FURCA_CLOSED' });
  });

  test('iteration acknowledges an item when the next one is asked for', { timeout: 100_000 }, async () => {
    await using queue = queueOn<number>('iterated');
    for (const item of [1, 2, 3]) await queue.put(item);
    const seen: number[] = [];
    for await (const item of queue) {
      seen.push(item);
      if (item === 3) break;
    }
    assert.deepEqual(seen, [1, 2, 3]);
    assert.deepEqual(await queue.stats(), { waiting: 0, unacknowledged: 1 });
  });

  test('an item of another key is refused and taken off, the next one comes', {
    timeout: 100_000,
  }, async () => {
    await using stranger = queueOn<string>('keys', { key: 'not the key of the others' });
    await using queue = queueOn<string>('keys', { key: 'the key of all the others' });
    await stranger.put('evil');
    await queue.put('good');
    await assert.rejects(queue.get(), { code: 'ERR_FURCA_AUTHENTICATION' });
    assert.equal((await queue.get()).value, 'good');
  });
});
