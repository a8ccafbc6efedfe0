import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { range, toArray } from '../fixtures/pool-outcomes.js';
import { digest } from '../fixtures/pool-tasks.js';
import type { PoolCase } from './pool-cases.js';

const MIB = 1024 * 1024;

function bytesOf(size: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + seed, 2654435761);
  return new Uint8Array(words.buffer, 0, size);
}

const grow = (size: number): Uint8Array => new Uint8Array(size).fill(size % 251);

export const sizeCases: readonly PoolCase[] = [
  {
    title: '100,000 small items come back right, from map and from imap',
    async run(pools) {
      const pool = pools.shared();
      const items = range(100_000);
      const plusOne = (x: number): number => x + 1;
      const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
      const mapped = await pool.map(plusOne, items);
      assert.equal(mapped.length, 100_000);
      assert.ok(mapped.every((value, at) => value === at + 1));
      const streamed = await toArray(pool.imap(plusOne, items));
      assert.ok(streamed.every((value, at) => value === at + 1));
      assert.equal(sum(streamed), sum(mapped));
    },
  },
  {
    title: '20,000 single calls in flight at once all come back right',
    async run(pools) {
      const pool = pools.shared();
      const answers = await Promise.all(range(20_000).map((x) => pool.apply((y: number) => y * 2, [x])));
      assert.ok(answers.every((value, at) => value === at * 2));
    },
  },
  ...([1, 20] as const).map(
    (size): PoolCase => ({
      title: `items and results of ${size} MiB arrive whole`,
      async run(pools) {
        const pool = pools.shared();
        const items = range(4).map((seed) => bytesOf(size * MIB - seed, seed));
        const digests = items.map((item) => createHash('sha256').update(item).digest('hex'));
        assert.deepEqual(await pool.map(digest, items, { chunkSize: 2 }), digests);
        for (const at of range(2))
          assert.equal(await pool.apply(digest, [items[at] as Uint8Array]), digests[at]);
        const sizes = range(4).map((n) => size * MIB + n);
        for (const results of [
          await pool.map(grow, sizes),
          await toArray(pool.imap(grow, sizes, { chunkSize: 1 })),
        ]) {
          assert.deepEqual(
            results.map(digest),
            sizes.map((length) => digest(grow(length))),
          );
        }
      },
    }),
  ),
  {
    title: 'sizes around the bounds of a message arrive whole both ways',
    async run(pools) {
      const sizes = [
        0, 1, 63, 64, 65, 4095, 4096, 65_471, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 262_144,
      ];
      const echo = (text: string): string => text;
      const texts = sizes.map((size) => 'ä'.repeat(size >> 1).padEnd(size, 'x'));
      assert.deepEqual(await pools.shared().map(echo, texts, { chunkSize: 1 }), texts);
      assert.deepEqual(await Promise.all(texts.map((text) => pools.shared().apply(echo, [text]))), texts);
    },
  },
  {
    title: 'many large items in flight do not run out of memory, for memory is given back',
    async run(pools) {
      const size = (bytes: Uint8Array): number => bytes.length;
      let read = 0;
      function* input(): Generator<Uint8Array> {
        while (read < 200) yield new Uint8Array(2 * MIB + read++);
      }
      let at = 0;
      for await (const length of pools.shared().imap(size, input(), { chunkSize: 1, bufferItems: 6 })) {
        assert.equal(length, 2 * MIB + at++);
      }
      assert.equal(at, 200);
    },
  },
];
