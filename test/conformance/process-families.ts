import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { Process } from '../../src/index.js';
import { parentOfWatcher } from '../fixtures/process-grandchild.js';
import { descend } from '../fixtures/process-nested.js';
import { Shouter } from '../fixtures/process-subclass.js';
import { answer } from '../harness/outcome.js';
import { processEntry } from '../harness/proc.js';
import { eventually } from '../harness/watchdog.js';
import { caseList, type ProcessCase } from './process-case.js';

const list = caseList();
const { it } = list;

export const cases: readonly ProcessCase[] = list.cases;

it('A subclass that overrides run() runs it in the child, with what its constructor and methods have stored', async (method) => {
  const shouter = new Shouter(method);
  shouter.submit('hello');
  await shouter.start();
  assert.ok(shouter.stdout !== null);
  const [said] = await Promise.all([text(shouter.stdout), shouter.join()]);
  assert.deepEqual([said, shouter.exitCode], ['HELLO from Shouter true', 0]);
  shouter.close();
});

it('Children of children run depth first when each is joined before the next', async (method) => {
  const root = new Process({
    startMethod: method,
    stdio: ['ignore', 'pipe', 'inherit'],
    target: descend,
    args: [method, [], 2],
  });
  await root.start();
  assert.ok(root.stdout !== null);
  const [lines] = await Promise.all([text(root.stdout), root.join()]);
  assert.equal(root.exitCode, 0);
  assert.deepEqual(
    lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [[], [0], [0, 0], [0, 1], [1], [1, 0], [1, 1]],
  );
  root.close();
});

it('A grandchild learns pid and name of its parent, that it is alive, and when it ends', async (method) => {
  const child = new Process({
    name: 'middle',
    startMethod: method,
    stdio: ['ignore', 'pipe', 'inherit'],
    target: parentOfWatcher,
    args: [method],
  });
  await child.start();
  assert.ok(child.stdout !== null);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown[]> => JSON.parse((await lines.next()).value as string) as unknown[];
  const first = await next();
  const grandchild = first.pop() as number;
  assert.deepEqual(first, ['alive', child.pid, 'middle', true]);
  child.terminate();
  assert.deepEqual(await next(), ['ended', false]);
  await child.join();
  assert.equal(child.exitCode, -15);
  await eventually('the grandchild is gone', () => processEntry(grandchild) === undefined);
  child.close();
});

it('A child that ends first terminates its daemons and waits for its other children', async (method) => {
  const seen = await answer(
    method,
    async (url: string, startMethod: 'spawn') => {
      const { Process } = (await import(url)) as typeof import('../../src/index.js');
      const daemon = new Process({
        startMethod,
        daemon: true,
        target: () => new Promise((resolve) => setTimeout(resolve, 60_000)),
      });
      const brief = new Process({
        startMethod,
        target: async () => {
          await new Promise((resolve) => setTimeout(resolve, 30));
        },
      });
      await daemon.start();
      await brief.start();
      process.on('exit', () => console.log(JSON.stringify([daemon.pid, brief.pid, brief.exitCode])));
    },
    [new URL('../../src/index.js', import.meta.url).href, method as 'spawn'],
  );
  const [daemon, brief, exitCode] = seen as [number, number, number];
  assert.equal(exitCode, 0);
  await eventually('both are gone', () => !processEntry(daemon) && !processEntry(brief));
});

it('Many processes at once all end with exit code 0', async (method) => {
  const children = Array.from(
    { length: method === 'spawn' ? 6 : 100 },
    () => new Process({ startMethod: method, target: () => {} }),
  );
  await Promise.all(children.map((child) => child.start()));
  await Promise.all(children.map((child) => child.join()));
  assert.deepEqual([...new Set(children.map((child) => child.exitCode))], [0]);
  assert.equal(new Set(children.map((child) => child.pid)).size, children.length);
  for (const child of children) child.close();
});

it('Many sleeping processes terminated at once all end with exit code -15', async (method) => {
  const target = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60_000));
  const children = Array.from(
    { length: method === 'spawn' ? 6 : 100 },
    () => new Process({ startMethod: method, target }),
  );
  await Promise.all(children.map((child) => child.start()));
  for (const child of children) child.terminate();
  await Promise.all(children.map((child) => child.join()));
  assert.deepEqual([...new Set(children.map((child) => child.exitCode))], [-15]);
  for (const child of children) child.close();
});
