import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { TestRedis, whyNoRedis } from '../harness/redis.js';
import { examples as all, LIMIT_MS, outcomeOf, writeProgram } from './comment-examples.js';
import { sources } from './sources.js';

const examples = all.filter(({ path }) => path.startsWith('cluster/'));

test('everything that furca/cluster exports has an example', () => {
  const door = sources.find(({ path }) => path === 'cluster.ts')?.code ?? '';
  const names = [...door.matchAll(/\{([^}]*)\}/g)]
    .flatMap(([, list = '']) => list.split(','))
    .map((name) => name.replace(/\btype\b/, '').trim())
    .filter((name) => name !== '');
  assert.ok(names.includes('ClusterPool'));
  const of = new Set(examples.map((example) => example.of));
  assert.deepEqual(
    names.filter((name) => !of.has(name)),
    [],
  );
});

describe('examples in comments of a cluster', { concurrency: 2, skip: whyNoRedis() }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'furca-examples-'));
  let redis: TestRedis;
  before(async () => {
    redis = await TestRedis.start();
  });
  after(async () => {
    await redis?.stop();
    rmSync(folder, { recursive: true });
  });

  examples.forEach((example, at) => {
    test(`the example of ${example.of} (${example.path}) runs and gives what it says`, {
      timeout: LIMIT_MS + 10_000,
    }, async () => {
      const app = join(folder, `app-${at}`);
      mkdirSync(app);
      // A queue of its own, and one worker for it, as if by the command.
      const common = { connection: redis.url, queue: `example-${at}`, app, key: 'a key for examples alone' };
      const surroundings = `
        const { connection, queue, app, key } = ${JSON.stringify(common)};
        await using theWorker = new ClusterWorker({ connection, queue, app, key, jobs: 1 });
        await theWorker.start();
      `;
      const program = join(folder, `example-${at}.mjs`);
      const text = await writeProgram(program, example, surroundings);
      const { code, output } = await outcomeOf(program);
      assert.equal(code, 0, `${output}\n${text}`);
    });
  });
});
