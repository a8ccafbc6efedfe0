import assert from 'node:assert/strict';
import { activeChildren, Process, type StartMethod, TimeoutError } from '../../src/index.js';
import { answer, outcome } from '../harness/outcome.js';
import { caseList, type ProcessCase } from './process-case.js';

const list = caseList();
const { it } = list;

export const cases: readonly ProcessCase[] = list.cases;

function sleeper(method: StartMethod, settings: { daemon?: boolean; name?: string } = {}): Process {
  return new Process({
    startMethod: method,
    target: () => new Promise((resolve) => setTimeout(resolve, 60_000)),
    ...settings,
  });
}

it('A process has a name of its own, given or made, and the child knows it', async (method) => {
  const named = new Process({ startMethod: method, name: 'worker-7' });
  assert.equal(named.name, 'worker-7');
  assert.match(new Process({ startMethod: method }).name, /^Process-\d+$/);
  const seen = await answer(
    method,
    async (url: string) => {
      const { currentProcess } = (await import(url)) as typeof import('../../src/index.js');
      const own = currentProcess();
      console.log(
        JSON.stringify([own.name, own.daemon, own.isAlive(), own.exitCode, own.pid === process.pid]),
      );
    },
    [new URL('../../src/index.js', import.meta.url).href],
    { name: 'inside' },
  );
  assert.deepEqual(seen, ['inside', false, true, null, true]);
});

it('A started process is alive, has a pid other than its parent, and no exit code; after join it has', async (method) => {
  const child = sleeper(method);
  await child.start();
  assert.equal(child.isAlive(), true);
  assert.equal(child.exitCode, null);
  assert.ok((child.pid as number) > 0 && child.pid !== process.pid);
  child.kill();
  await child.join();
  assert.deepEqual([child.isAlive(), child.exitCode], [false, -9]);
  assert.ok((child.pid as number) > 0);
  child.close();
});

it('The pid of a process is the pid its code sees', async (method) => {
  const child = new Process({
    startMethod: method,
    stdio: ['ignore', 'pipe', 'inherit'],
    target: () => console.log(process.pid),
  });
  await child.start();
  const [seen] = await Promise.all([
    new Promise((resolve) => child.stdout?.setEncoding('utf8').once('data', resolve)),
    child.join(),
  ]);
  assert.equal(Number(seen), child.pid);
  child.close();
});

it('join() gives up after timeoutMs and the process runs on', async (method) => {
  const child = sleeper(method);
  await child.start();
  await assert.rejects(
    child.join({ timeoutMs: 10 }),
    (error) => error instanceof TimeoutError && error.timeoutMs === 10,
  );
  await assert.rejects(child.join({ timeoutMs: 0 }), TimeoutError);
  assert.throws(() => child.joinSync({ timeoutMs: 10 }), TimeoutError);
  assert.equal(child.isAlive(), true);
  child.kill();
  await child.join({ timeoutMs: 30_000 });
  child.close();
});

it('join() rejects with the reason of its signal, before and while it waits', async (method) => {
  const child = sleeper(method);
  await child.start();
  const reason = new Error('enough');
  await assert.rejects(child.join({ signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const waiting = child.join({ signal: controller.signal });
  setImmediate(() => controller.abort(reason));
  await assert.rejects(waiting, reason);
  assert.equal(child.isAlive(), true);
  child.kill();
  await child.join();
  child.close();
});

it('Many waits for one process all end, and join() after the end returns at once', async (method) => {
  const child = sleeper(method);
  await child.start();
  const waits = [child.join(), child.join(), child.sentinel, child.join({ timeoutMs: 60_000 })];
  child.kill();
  await Promise.all(waits);
  await child.join();
  await child.join({ timeoutMs: 0 });
  child.joinSync({ timeoutMs: 0 });
  child.close();
});

it('joinSync() blocks until the process has ended', async (method) => {
  const child = new Process({
    startMethod: method,
    target: async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      process.exitCode = 4;
    },
  });
  await child.start();
  child.joinSync();
  assert.deepEqual([child.exitCode, child.isAlive()], [4, false]);
  child.close();
});

it('The sentinel resolves with the exit code, is the same at every call, and waits for no tick more', async (method) => {
  const child = new Process({ startMethod: method, target: () => process.exit(3) });
  await child.start();
  const { sentinel } = child;
  assert.equal(child.sentinel, sentinel);
  assert.equal(await sentinel, 3);
  assert.equal(await child.sentinel, 3);
  child.close();
});

it('close() is refused while the process runs; afterwards everything is ERR_FURCA_CLOSED', async (method) => {
  const child = sleeper(method);
  await child.start();
  assert.throws(() => child.close(), { code: 'ERR_FURCA_INVALID_STATE' });
  child.kill();
  await child.join();
  child.close();
  child.close();
  const code = 'ERR_FURCA_CLOSED';
  assert.throws(() => child.isAlive(), { code });
  assert.throws(() => child.terminate(), { code });
  assert.throws(() => child.exitCode, { code });
  assert.throws(() => child.pid, { code });
  await assert.rejects(child.join(), { code });
  await assert.rejects(child.start(), { code });
  assert.match(child.name, /^Process-\d+$/);
});

it('A process that was never started can be closed', async (method) => {
  const child = new Process({ startMethod: method });
  child.close();
  await assert.rejects(child.start(), { code: 'ERR_FURCA_CLOSED' });
});

it('Leaving the scope of an `await using` process joins and closes it', async (method) => {
  const child = new Process({ startMethod: method, target: () => {} });
  await child.start();
  await child[Symbol.asyncDispose]();
  assert.throws(() => child.isAlive(), { code: 'ERR_FURCA_CLOSED' });
  await child[Symbol.asyncDispose]();
});

it('activeChildren() lists the processes that run, and forgets them when they end', async (method) => {
  const children = [sleeper(method), sleeper(method)];
  assert.deepEqual(activeChildren(), []);
  await Promise.all(children.map((child) => child.start()));
  assert.deepEqual(new Set(activeChildren()), new Set(children));
  children[0]?.kill();
  await children[0]?.join();
  assert.deepEqual(activeChildren(), [children[1]]);
  children[1]?.terminate();
  await children[1]?.join();
  assert.deepEqual(activeChildren(), []);
  for (const child of children) child.close();
});

it('daemon can be set until the start', async (method) => {
  const child = new Process({ startMethod: method, target: () => {} });
  assert.equal(child.daemon, false);
  child.daemon = true;
  assert.equal(child.daemon, true);
  await child.start();
  assert.throws(
    () => {
      child.daemon = false;
    },
    { code: 'ERR_FURCA_INVALID_STATE' },
  );
  await child.join();
  child.close();
});

it('A daemon may not start processes: ERR_FURCA_DAEMONIC_CHILD, exit code 1', async (method) => {
  const { exitCode, stderr } = await outcome(
    method,
    async (url: string) => {
      const { Process } = (await import(url)) as typeof import('../../src/index.js');
      await new Process({ target: () => {} }).start();
    },
    [new URL('../../src/index.js', import.meta.url).href],
    { daemon: true },
  );
  assert.equal(exitCode, 1);
  assert.match(stderr, /ERR_FURCA_DAEMONIC_CHILD/);
});
