import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FORK_READY, type RunResult, runProgram } from '../harness/programs.js';
import { watchTests } from '../harness/watchdog.js';

watchTests();

async function run(source: string): Promise<RunResult> {
  const head = `
    import { writeSync } from 'node:fs';
    import { _exit, fork, getpid, getppid, isForkReady, registerAtFork, tryWaitpid, waitpid, waitpidSync } from 'furca/os';
    const print = (...values) => writeSync(1, values.map((value) => typeof value === 'string' ? value : JSON.stringify(value)).join(' ') + '\\n');
  `;
  return runProgram(head + source, { flags: FORK_READY });
}

async function printed(source: string): Promise<string> {
  const { code, stdout, stderr } = await run(source);
  assert.equal(code, 0, stderr);
  return stdout;
}

test('fork() returns 0 in the child and the child’s pid in the parent, and each knows who it is', async () => {
  const out = await printed(`
    const main = getpid();
    const pid = fork();
    if (pid === 0) {
      print('child', getppid() === main, getpid() !== main, process.pid === getpid(), isForkReady());
      process.exit(3);
    }
    const result = await waitpid(pid);
    print('parent', result.pid === pid, result.exitCode, result.signal);
  `);
  assert.equal(out, 'child true true true true\nparent true 3 null\n');
});

test('The child has a copy of the parent’s variables, and what it changes stays its own', async () => {
  const out = await printed(`
    let value = 1;
    const map = new Map([['a', [1, 2]]]);
    const pid = fork();
    if (pid === 0) { value++; map.get('a').push(3); print(value, [...map]); process.exit(); }
    await waitpid(pid);
    print(value, [...map]);
  `);
  assert.equal(out, '2 [["a",[1,2,3]]]\n1 [["a",[1,2]]]\n');
});

test('registerAtFork runs before hooks last first, and the after hooks first first', async () => {
  const out = await printed(`
    const hook = (name) => ({ before: () => print('before', name), afterInParent: () => print('parent', name), afterInChild: () => print('child', name) });
    registerAtFork(hook('a'));
    registerAtFork(hook('b'));
    registerAtFork({});
    const pid = fork();
    if (pid === 0) _exit(0);
    await waitpid(pid);
  `);
  const lines = out.trim().split('\n');
  assert.deepEqual(lines.slice(0, 2), ['before b', 'before a']);
  assert.deepEqual(
    lines.filter((line) => line.startsWith('parent')),
    ['parent a', 'parent b'],
  );
  assert.deepEqual(
    lines.filter((line) => line.startsWith('child')),
    ['child a', 'child b'],
  );
});

test('waitpid, waitpidSync and tryWaitpid answer exit code and signal, once for each child', async () => {
  const out = await printed(`
    const make = (end) => { const pid = fork(); if (pid === 0) { end(); } return pid; };
    const told = [];
    told.push(await waitpid(make(() => _exit(9))));
    told.push(waitpidSync(make(() => process.exit(7))));
    told.push(await waitpid(make(() => { process.kill(process.pid, 'SIGKILL'); for (;;); })));
    told.push(waitpidSync(make(() => process.abort())));
    const slow = make(() => { for (;;); });
    told.push(tryWaitpid(slow) === undefined);
    process.kill(slow, 'SIGTERM');
    let result;
    while ((result = tryWaitpid(slow)) === undefined) await new Promise((resolve) => setImmediate(resolve));
    told.push(result);
    for (const again of [() => tryWaitpid(slow), () => waitpidSync(slow), () => waitpidSync(1)]) {
      try { again(); } catch (error) { told.push(error.code); }
    }
    await waitpid(slow).catch((error) => told.push(error.code));
    print(told.map((one) => one.pid === undefined ? one : [one.exitCode, one.signal]));
  `);
  const refused = 'ERR_FURCA_INVALID_ARGUMENT';
  assert.deepEqual(JSON.parse(out), [
    [9, null],
    [7, null],
    [-9, 'SIGKILL'],
    [-6, 'SIGABRT'],
    true,
    [-15, 'SIGTERM'],
    refused,
    refused,
    refused,
    refused,
  ]);
});

test('waitpid gives up after timeoutMs, or when its signal aborts, and can be called again', async () => {
  const out = await printed(`
    const pid = fork();
    if (pid === 0) for (;;);
    const told = [];
    await waitpid(pid, { timeoutMs: 10 }).catch((error) => told.push(error.code, error.timeoutMs));
    const controller = new AbortController();
    setImmediate(() => controller.abort('enough'));
    await waitpid(pid, { signal: controller.signal }).catch((reason) => told.push(reason));
    process.kill(pid, 'SIGKILL');
    told.push((await waitpid(pid)).exitCode);
    print(told);
  `);
  assert.deepEqual(JSON.parse(out), ['ERR_FURCA_TIMEOUT', 10, 'enough', -9]);
});

test('A child forks children of its own', async () => {
  const out = await printed(`
    const pid = fork();
    if (pid === 0) {
      const inner = fork();
      if (inner === 0) { const last = fork(); if (last === 0) _exit(1); process.exit((await waitpid(last)).exitCode + 1); }
      process.exit((await waitpid(inner)).exitCode + 1);
    }
    print((await waitpid(pid)).exitCode);
  `);
  assert.equal(out, '3\n');
});

test('A child ends by itself when its event loop runs dry, with its exit listeners and its exit code', async () => {
  const out = await printed(`
    const pid = fork();
    if (pid === 0) {
      process.on('beforeExit', () => print('before exit'));
      process.on('exit', (code) => print('exit', code));
      process.exitCode = 6;
      setTimeout(() => print('timer'), 5);
    } else {
      print('child ended', (await waitpid(pid)).exitCode);
    }
  `);
  assert.equal(out, 'timer\nbefore exit\nexit 6\nchild ended 6\n');
});

test('_exit() ends the child at once, without exit listeners', async () => {
  const out = await printed(`
    process.on('exit', () => print('exit listener of', getpid() === main ? 'main' : 'child'));
    const main = getpid();
    const pid = fork();
    if (pid === 0) _exit(4);
    print((await waitpid(pid)).exitCode);
  `);
  assert.equal(out, '4\nexit listener of main\n');
});

test('An uncaught error in a forked child is printed and gives exit code 1', async () => {
  const { code, stdout, stderr } = await run(`
    const pid = fork();
    if (pid === 0) { setTimeout(() => { throw new RangeError('in the child'); }, 1); }
    else print((await waitpid(pid)).exitCode);
  `);
  assert.deepEqual([code, stdout], [0, '1\n'], stderr);
  assert.match(stderr, /RangeError: in the child/);
});

test('A forked child draws other random values than its parent and its siblings', async () => {
  const out = await printed(`
    Math.random(); crypto.randomUUID();
    const pids = [];
    for (let i = 0; i < 5; i++) {
      const pid = fork();
      if (pid === 0) { print(Math.random(), crypto.randomUUID()); _exit(0); }
      pids.push(pid);
    }
    for (const pid of pids) await waitpid(pid);
    print(Math.random(), crypto.randomUUID());
  `);
  const values = out.trim().split(/\s+/);
  assert.equal(new Set(values).size, 12);
});

test('Time that passes while a process has no CPU makes none of its threads busy: it forks', async () => {
  const out = await printed(`
    let now = Date.now();
    // As if it were put off for five seconds between any two looks at the clock.
    Date.now = () => (now += 5000);
    let ended = 0;
    for (let i = 0; i < 30; i++) {
      const pid = fork();
      if (pid === 0) _exit(0);
      if ((await waitpid(pid)).exitCode === 0) ended++;
    }
    print(ended);
  `);
  assert.equal(out, '30\n');
});

test('A forked child founds a family of its own: its processes are its own, and it survives its parent', async () => {
  const out = await printed(`
    const { Process, activeChildren } = await import('furca');
    const outer = new Process({ target: () => new Promise((resolve) => setTimeout(resolve, 60_000)) });
    await outer.start();
    const pid = fork();
    if (pid === 0) {
      const inner = new Process({ target: () => process.exit(5) });
      const before = activeChildren().length;
      await inner.start();
      await inner.join();
      process.exit(before * 100 + inner.exitCode);
    }
    const { exitCode } = await waitpid(pid);
    print(exitCode, outer.isAlive());
    outer.kill();
    await outer.join();
  `);
  assert.equal(out, '5 true\n');
});

test('A hundred forks one after another, and twenty at once, all end right', async () => {
  const out = await printed(`
    let wrong = 0;
    for (let i = 0; i < 100; i++) {
      const pid = fork();
      if (pid === 0) process.exit(i);
      if ((await waitpid(pid)).exitCode !== i) wrong++;
    }
    const pids = [];
    for (let i = 0; i < 20; i++) {
      const pid = fork();
      if (pid === 0) process.exit(i);
      pids.push(pid);
    }
    for (const [i, pid] of pids.entries()) if ((await waitpid(pid)).exitCode !== i) wrong++;
    print(wrong);
  `);
  assert.equal(out, '0\n');
});
