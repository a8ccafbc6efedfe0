import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, type Connection, Listener, wait } from '../../src/connection.js';
import { Process } from '../../src/index.js';
import { SEED, seeded } from '../harness/random.js';

const options = { timeout: 120_000 };

test('CN-12: wait on four readers gives all 40 messages, then the end of each', options, async () => {
  const random = seeded(SEED);
  const listener = await Listener.listen<[number, number], [number, number]>();
  const writers = await Promise.all(
    [0, 1, 2, 3].map(() => Client<never, [number, number]>(listener.address)),
  );
  const readers = new Set<Connection<[number, number]>>();
  for (const _ of writers) readers.add(await listener.accept());
  const writing = writers.map(async (writer, who) => {
    for (let n = 0; n < 10; n++) {
      if (random() < 0.3) await new Promise((resolve) => setTimeout(resolve, random() * 5));
      await writer.send([n, who]);
    }
    await writer.close();
  });
  const got: [number, number][] = [];
  while (readers.size > 0) {
    for (const reader of await wait(readers)) {
      try {
        got.push(await reader.recv({ timeoutMs: 0 }));
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'ERR_FURCA_CLOSED', `seed ${SEED}`);
        readers.delete(reader);
        await reader.close();
      }
    }
  }
  await Promise.all(writing);
  const wanted = [0, 1, 2, 3].flatMap((who) =>
    Array.from({ length: 10 }, (_, n): [number, number] => [n, who]),
  );
  assert.deepEqual(
    got.sort(([a, x], [b, y]) => x - y || a - b),
    wanted,
  );
  await listener.close();
});

test(
  'CN-14: wait gives the sentinel of a process that has ended, and what is ready with it',
  options,
  async () => {
    const listener = await Listener.listen<string, string>();
    const [client, served] = await Promise.all([Client<string, string>(listener.address), listener.accept()]);
    const child = new Process({ target: () => {} });
    await child.start();
    const { sentinel } = child;
    const objects = [served, sentinel, client];
    assert.deepEqual(await wait(objects), [sentinel]);
    await client.send('x');
    await served.send('y');
    assert.deepEqual(await wait(objects), objects);
    await child.join();
    child.close();
    await Promise.all([client.close(), served.close(), listener.close()]);
  },
);
