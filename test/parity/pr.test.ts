import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { activeChildren, currentProcess, Process, parentProcess } from '../../src/index.js';
import { descend } from '../fixtures/process-nested.js';
import { Shouter } from '../fixtures/process-subclass.js';
import { answer, outcome } from '../harness/outcome.js';
import { runProgram } from '../harness/programs.js';
import { watchTests } from '../harness/watchdog.js';

// Behaviours of CPython's test suite, by their case ids. What a start method could change is in conformance/process*.

watchTests();

const index = new URL('../../src/index.js', import.meta.url).href;
const sleep = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60_000));

test('PR-01: the main process is alive, no daemon, has its pid and no exit code, and has no parent', () => {
  const own = currentProcess();
  assert.deepEqual(
    [own.name, own.isAlive(), own.daemon, own.pid, own.exitCode],
    ['MainProcess', true, false, process.pid, null],
  );
  assert.equal(currentProcess(), own);
  assert.equal(parentProcess(), null);
  // Differs: a process that cannot be joined says so by an error with a code, and there is no authkey.
  assert.throws(() => own.joinSync(), { code: 'ERR_FURCA_INVALID_STATE' });
});

test('PR-02: the daemon flag defaults to the creator’s; the option wins', async () => {
  assert.equal(new Process({ target: sleep }).daemon, false);
  assert.equal(new Process({ target: sleep, daemon: true }).daemon, true);
  const inDaemon = await answer(
    'forkserver',
    async (url: string) => {
      const { Process } = (await import(url)) as typeof import('../../src/index.js');
      console.log(
        JSON.stringify([
          new Process({ target: () => {} }).daemon,
          new Process({ target: () => {}, daemon: false }).daemon,
        ]),
      );
    },
    [index],
    { daemon: true },
  );
  assert.deepEqual(inDaemon, [true, false]);
});

test('PR-03: args may hold numbers, texts and lists; the child receives equal values', async () => {
  const tell = (...args: readonly unknown[]): void => console.log(JSON.stringify(args));
  for (const args of [[1], ['text'], [[1, 2, 'three']], [1, ['a', ['b']], { c: 2.5 }]]) {
    assert.deepEqual(await answer('forkserver', tell, args), args);
  }
});

test('PR-05, PR-06: a child sees its arguments, its name, its own pid, and its parent’s pid and name', async () => {
  const child = new Process({
    name: 'the child',
    stdio: ['ignore', 'pipe', 'inherit'],
    args: [index, 1, { hello: 23, bye: 2.54 }],
    target: async (url: string, one: number, named: object) => {
      const { currentProcess, parentProcess } = (await import(url)) as typeof import('../../src/index.js');
      const parent = parentProcess();
      console.log(
        JSON.stringify([
          one,
          named,
          currentProcess().name,
          currentProcess().pid,
          parent?.pid,
          parent?.name,
          parent?.isAlive(),
        ]),
      );
    },
  });
  await child.start();
  assert.ok(child.stdout !== null);
  const [seen] = await Promise.all([text(child.stdout), child.join()]);
  assert.deepEqual(JSON.parse(seen), [
    1,
    { hello: 23, bye: 2.54 },
    'the child',
    child.pid,
    process.pid,
    'MainProcess',
    true,
  ]);
  child.close();
});

test('PR-09, PR-10: terminate, kill and interrupt give -15, -9 and -2, and the child is active no longer', async () => {
  // PR-10 differs: Python's SIGINT raises KeyboardInterrupt, exit code 1; Node's default is to die of the signal.
  for (const [how, exitCode] of [
    ['terminate', -15],
    ['kill', -9],
    ['interrupt', -2],
  ] as const) {
    const child = new Process({ target: sleep });
    await child.start();
    assert.deepEqual([child.isAlive(), activeChildren().includes(child), child.exitCode], [true, true, null]);
    child[how]();
    await child.join();
    assert.deepEqual(
      [child.isAlive(), activeChildren().includes(child), child.exitCode],
      [false, false, exitCode],
    );
    child.close();
  }
});

test('PR-11: nested children run depth first', async () => {
  const child = new Process({
    stdio: ['ignore', 'pipe', 'inherit'],
    target: descend,
    args: ['forkserver', [], 2],
  });
  await child.start();
  assert.ok(child.stdout !== null);
  const [lines] = await Promise.all([text(child.stdout), child.join()]);
  assert.equal(lines, '[]\n[0]\n[0,0]\n[0,1]\n[1]\n[1,0]\n[1,1]\n');
  child.close();
});

test('PR-13: close() while running is refused; after the end it works, twice too, and everything else is refused', async () => {
  const child = new Process({ target: sleep });
  await child.start();
  assert.throws(() => child.close(), { code: 'ERR_FURCA_INVALID_STATE' });
  child.terminate();
  await child.join();
  child.close();
  child.close();
  for (const use of [() => child.isAlive(), () => child.joinSync(), () => child.terminate()]) {
    assert.throws(use, { code: 'ERR_FURCA_CLOSED' });
  }
});

test('PR-15: after start() a process keeps neither its target nor its arguments', async () => {
  const { code, stdout, stderr } = await runProgram(
    `
    import { Process } from 'furca';
    const make = () => {
      const args = [{ big: new Array(1000).fill(0) }];
      const target = (given) => {};
      return [new Process({ target, args }), new WeakRef(args[0])];
    };
    const [child, argument] = make();
    await child.start();
    await child.join();
    for (let i = 0; i < 1000 && argument.deref() !== undefined; i++) { await new Promise((resolve) => setImmediate(resolve)); gc(); }
    console.log(argument.deref() === undefined);
  `,
    { flags: ['--expose-gc'] },
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'true\n');
});

test('PR-17 differs: a child ends when its target has settled, whatever its event loop still holds', async () => {
  const { exitCode } = await outcome('forkserver', () => void setInterval(() => {}, 1000), []);
  assert.equal(exitCode, 0);
});

for (const [where, before, inChild] of [
  ['in the parent', 'closeSync(1); closeSync(2);', ''],
  ['in the child', '', `(await import('node:fs')).closeSync(1); (await import('node:fs')).closeSync(2);`],
] as const) {
  test(`PR-18: a child exits with 0 when stdout and stderr are closed ${where}`, async () => {
    for (const startMethod of ['forkserver', 'spawn']) {
      const { code } = await runProgram(`
        import { closeSync } from 'node:fs';
        import { Process } from 'furca';
        ${before}
        const child = new Process({ startMethod: '${startMethod}', target: async () => { ${inChild} } });
        await child.start();
        await child.join();
        process.exit(child.exitCode === 0 ? 0 : 99);
      `);
      assert.equal(code, 0, startMethod);
    }
  });
}

test('PR-19: a subclass that overrides run() answers what it was given', async () => {
  const shouter = new Shouter('forkserver');
  shouter.submit('hello');
  await shouter.start();
  assert.ok(shouter.stdout !== null);
  const [said] = await Promise.all([text(shouter.stdout), shouter.join()]);
  assert.match(said, /^HELLO/);
  shouter.close();
});

test('PR-21: exit codes are those of Node: what exit() is given, modulo 256; -N for signal N', async () => {
  const exit = (code?: number): never => process.exit(code);
  for (const [given, exitCode] of [
    [8, 8],
    [0, 0],
    [undefined, 0],
    [256, 0],
    [-1, 255],
  ] as const) {
    assert.equal((await outcome('forkserver', exit, [given])).exitCode, exitCode, String(given));
  }
  // Differs: Python's exit('text') prints and gives 1; Node refuses a text that is no number, which is an error, so 1 too.
  const { exitCode, stderr } = await outcome('forkserver', () => process.exit('text' as never), []);
  assert.ok(exitCode === 1, `${exitCode} ${stderr}`);
  assert.equal((await outcome('forkserver', () => process.abort(), [])).exitCode, -6);
});

test('PR-22: join() and joinSync() survive unrelated signals', async () => {
  const { code, stdout, stderr } = await runProgram(`
    import { spawn } from 'node:child_process';
    import { Process } from 'furca';
    let caught = 0;
    process.on('SIGUSR2', () => { caught++; });
    const target = () => new Promise((resolve) => setTimeout(resolve, 400));
    const codes = [];
    for (const how of ['join', 'joinSync']) {
      const child = new Process({ target });
      await child.start();
      const sender = spawn('/bin/sh', ['-c', 'for i in 1 2 3 4; do kill -USR2 ' + process.pid + '; sleep 0.05; done'], { stdio: 'ignore' });
      await child[how]();
      codes.push(child.exitCode);
      if (sender.exitCode === null) await new Promise((resolve) => sender.once('exit', resolve));
    }
    await new Promise((resolve) => setImmediate(resolve));
    console.log(JSON.stringify([codes, caught > 0]));
  `);
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), [[0, 0], true]);
});

test('PR-23: misuse is refused by an error with a code, and an argument that cannot travel leaves no child', async () => {
  const child = new Process<readonly [unknown]>({ target: () => {}, args: [new WeakMap()] });
  await assert.rejects(child.join(), { code: 'ERR_FURCA_INVALID_STATE' });
  await assert.rejects(child.start(), { code: 'ERR_FURCA_NOT_SENDABLE' });
  assert.deepEqual(activeChildren(), []);
});

test('MI-03, MI-04: a daemon may not start processes, and ends with its parent', async () => {
  const { exitCode, stderr } = await outcome(
    'forkserver',
    async (url: string) => {
      const { Process } = (await import(url)) as typeof import('../../src/index.js');
      await new Process({ target: () => {} }).start();
    },
    [index],
    { daemon: true },
  );
  assert.equal(exitCode, 1);
  assert.match(stderr, /ERR_FURCA_DAEMONIC_CHILD/);
});
