import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { descendants, descriptors, processEntry } from '../harness/proc.js';
import { FORK_READY, runProgram, startProgram } from '../harness/programs.js';
import { eventually, watchTests } from '../harness/watchdog.js';

watchTests();

const FAMILY = `
import { Process } from 'furca';
const startMethod = process.argv[2];
const sleep = () => new Promise((resolve) => setTimeout(resolve, 600_000));
const block = () => { for (;;); };
const nest = async (startMethod) => {
  const { Process } = await import('furca');
  const grandchild = new Process({ startMethod, target: () => new Promise((resolve) => setTimeout(resolve, 600_000)) });
  await grandchild.start();
  const daemon = new Process({ startMethod, daemon: true, target: () => { for (;;); } });
  await daemon.start();
  console.log(JSON.stringify([grandchild.pid, daemon.pid]));
  await new Promise((resolve) => setTimeout(resolve, 600_000));
};
const stop = () => { process.kill(process.pid, 'SIGSTOP'); return new Promise((resolve) => setTimeout(resolve, 600_000)); };
const children = [sleep, block, stop].map((target) => new Process({ startMethod, target }));
children.push(new Process({ startMethod, target: nest, args: [startMethod] }));
for (const child of children) await child.start();
console.log('children ' + JSON.stringify(children.map(({ pid }) => pid)));
await sleep();
`;

for (const method of ['forkserver', 'fork', 'spawn'] as const) {
  test(`${method}: SIGKILL of the main process ends the whole family, blocked and stopped members too, and leaves no file`, async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'furca-family-'));
    const program = startProgram(FAMILY, { flags: FORK_READY, args: [method], env: { TMPDIR: temporary } });
    const [, children = '[]'] = await program.saw(/children (\[.*\])/);
    const [, grandchildren = '[]'] = await program.saw(/^(\[\d+,\d+\])$/m);
    const named = [...(JSON.parse(children) as number[]), ...(JSON.parse(grandchildren) as number[])];
    await eventually('one child is stopped', () => processEntry(named[2] as number)?.state === 'T');
    const family = new Set([...named, ...descendants(program.pid).map(({ pid }) => pid)]);
    assert.ok(family.size >= 6, `${family.size} members`);
    // Others of this machine use that folder, too.
    assert.deepEqual([...family].flatMap(namedMemory), []);
    program.process.kill('SIGKILL');
    await eventually('every member is gone', () => [...family].every((pid) => isGone(pid)));
    await program.result;
    assert.deepEqual(readdirSync(temporary), []);
    rmSync(temporary, { recursive: true });
  });
}

/** Shared memory with a name that a process has open or mapped: it would outlive its family. */
function namedMemory(pid: number): string[] {
  const mapped = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
  return [...mapped, ...descriptors(pid)].filter((line) => line.includes(' /dev/shm/'));
}

/** Gone, or dead and only waiting for the machine's first process to take note. */
function isGone(pid: number): boolean {
  return (processEntry(pid)?.state ?? 'Z') === 'Z';
}

const ZYGOTE = `
import { readdirSync, readFileSync } from 'node:fs';
import { Process } from 'furca';
const zygotes = () => readdirSync('/proc').filter((pid) => {
  try {
    const stat = readFileSync('/proc/' + pid + '/stat', 'utf8').split(') ')[1].split(' ');
    return stat[1] === String(process.pid) && stat[0] !== 'Z' && readFileSync('/proc/' + pid + '/cmdline', 'utf8').includes('entry/zygote.js');
  } catch { return false; }
}).map(Number);
const killZygote = () => { for (const pid of zygotes()) process.kill(pid, 'SIGKILL'); };
const print = (value) => console.log(JSON.stringify(value));
`;

test('SIGKILL of the zygote: running children finish with their own exit code, and the next start works', async () => {
  const { code, stdout, stderr } = await runProgram(`${ZYGOTE}
    const finish = (exitCode, ms) => new Promise((resolve) => setTimeout(() => { process.exitCode = exitCode; resolve(); }, ms));
    const children = [[7, 300], [0, 400], [9, 500]].map((args) => new Process({ target: finish, args }));
    const exits = new Process({ target: () => { setTimeout(() => process.exit(33), 350); return new Promise(() => {}); } });
    for (const child of [...children, exits]) await child.start();
    const former = zygotes();
    killZygote();
    await Promise.all([...children, exits].map((child) => child.join()));
    const next = new Process({ target: () => process.exit(5) });
    await next.start();
    await next.join();
    print([[...children, exits, next].map(({ exitCode }) => exitCode), former.length, zygotes().length, former[0] !== zygotes()[0]]);
  `);
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), [[7, 0, 9, 33, 5], 1, 1, true]);
});

test('SIGKILL of the zygote, then of a child: its exit code is 255, since nobody can know it', async () => {
  const { code, stdout, stderr } = await runProgram(`${ZYGOTE}
    const child = new Process({ target: () => new Promise((resolve) => setTimeout(resolve, 600_000)) });
    await child.start();
    const [former] = zygotes();
    killZygote();
    // It dies of SIGKILL only when it next runs; until then it could still reap the child.
    while (zygotes().includes(former)) await new Promise((resolve) => setImmediate(resolve));
    child.kill();
    await child.join();
    print([child.exitCode, child.isAlive()]);
  `);
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), [255, false]);
});

test('Requests that were under way when the zygote was killed are all answered', async () => {
  const { code, stdout, stderr } = await runProgram(`${ZYGOTE}
    const target = (n) => process.exit(n);
    const codes = [];
    for (let round = 0; round < 6; round++) {
      const children = Array.from({ length: 12 }, (_, n) => new Process({ target, args: [n] }));
      const starts = children.map((child) => child.start());
      if (round % 2 === 1) await Promise.race(starts);
      killZygote();
      await Promise.all(starts);
      await Promise.all(children.map((child) => child.join()));
      codes.push(children.every((child, n) => child.exitCode === n || child.exitCode === 255));
    }
    print(codes);
  `);
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), [true, true, true, true, true, true]);
});

test('joinSync() returns although the zygote was killed while this thread was blocked', async () => {
  const { code, stdout, stderr } = await runProgram(`${ZYGOTE}
    import { spawn } from 'node:child_process';
    const child = new Process({ target: () => new Promise((resolve) => setTimeout(resolve, 700)) });
    await child.start();
    spawn('/bin/sh', ['-c', 'sleep 0.2; kill -9 ' + zygotes().join(' ')], { stdio: 'ignore' });
    child.joinSync();
    print(child.exitCode);
  `);
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout), 0);
});

test('A child can start processes although the zygote that forked it is dead', async () => {
  const { code, stdout, stderr } = await runProgram(`${ZYGOTE}
    const nest = async () => {
      const alive = setInterval(() => {}, 1000);
      await new Promise((resolve) => { process.once('SIGUSR2', resolve); console.log('listening'); });
      clearInterval(alive);
      const { Process } = await import('furca');
      const grandchild = new Process({ target: () => process.exit(6) });
      await grandchild.start();
      await grandchild.join();
      process.exitCode = grandchild.exitCode + 1;
    };
    const child = new Process({ target: nest, stdio: ['ignore', 'pipe', 'inherit'] });
    await child.start();
    const keep = setInterval(() => {}, 1000);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.stdout.destroy();
    killZygote();
    process.kill(child.pid, 'SIGUSR2');
    await child.join();
    clearInterval(keep);
    print(child.exitCode);
  `);
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout), 7);
});

test('At its end a process terminates its daemons and waits for its other children', async () => {
  const { code, stdout, stderr } = await runProgram(`
    import { Process } from 'furca';
    const daemon = new Process({ daemon: true, target: () => new Promise((resolve) => setTimeout(resolve, 600_000)) });
    const other = new Process({ target: async () => { await new Promise((resolve) => setTimeout(resolve, 300)); console.log('finished'); } });
    await daemon.start();
    await other.start();
    process.on('exit', () => console.log(JSON.stringify([daemon.pid, daemon.exitCode, other.exitCode])));
    process.exit(4);
  `);
  assert.equal(code, 4, stderr);
  const [finished, last = ''] = stdout.trim().split('\n');
  assert.equal(finished, 'finished');
  const [pid, daemonExit, otherExit] = JSON.parse(last) as number[];
  assert.deepEqual([daemonExit, otherExit], [-15, 0]);
  assert.ok(isGone(pid as number));
});

test('A daemon that ignores SIGTERM is killed when its parent ends', async () => {
  const { code, stdout, stderr } = await runProgram(`
    import { Process } from 'furca';
    const stubborn = () => { process.on('SIGTERM', () => {}); console.log('ready'); setInterval(() => {}, 1000); return new Promise(() => {}); };
    const daemon = new Process({ daemon: true, stdio: ['ignore', 'pipe', 'inherit'], target: stubborn });
    await daemon.start();
    await new Promise((resolve) => daemon.stdout.once('data', resolve));
    daemon.stdout.destroy();
    console.log(daemon.pid);
    process.exit(0);
  `);
  assert.equal(code, 0, stderr);
  await eventually('the daemon is gone', () => isGone(Number(stdout)));
});

test('A program whose only child is a daemon ends without waiting for it', async () => {
  const { code, stderr } = await runProgram(`
    import { Process } from 'furca';
    const daemon = new Process({ daemon: true, target: () => new Promise((resolve) => setTimeout(resolve, 600_000)) });
    await daemon.start();
  `);
  assert.equal(code, 0, stderr);
});

test('A program that awaits nothing stays until its children have ended', async () => {
  const { code, stdout, stderr } = await runProgram(`
    import { Process } from 'furca';
    const child = new Process({ target: async () => { await new Promise((resolve) => setTimeout(resolve, 300)); console.log('child'); } });
    await child.start();
    process.on('beforeExit', () => console.log('main', child.exitCode));
  `);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'child\nmain 0\n');
});

test('A daemon ends when the main code has come to its end, not with the children that are still waited for', async () => {
  const { code, stdout, stderr } = await runProgram(`
    import { Event, Process } from 'furca';
    const daemonEnded = new Event();
    const daemon = new Process({ daemon: true, target: () => new Promise((resolve) => setTimeout(resolve, 600_000)) });
    const child = new Process({ target: async (event) => { await event.wait(); }, args: [daemonEnded] });
    await daemon.start();
    await child.start();
    daemon.sentinel.then((exitCode) => { console.log('daemon', exitCode, child.exitCode); daemonEnded.set(); });
    process.on('exit', () => console.log('exit', daemon.exitCode, child.exitCode));
  `);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'daemon -15 null\nexit -15 0\n');
});

test('A program that awaits the end of a child, by join or sentinel, has not come to its end: its daemons live', async () => {
  const { code, stdout, stderr } = await runProgram(`
    import { Process } from 'furca';
    const daemon = new Process({ daemon: true, target: () => new Promise((resolve) => setTimeout(resolve, 600_000)) });
    await daemon.start();
    for (const wait of [(child) => child.join(), (child) => child.sentinel]) {
      const child = new Process({ target: () => new Promise((resolve) => setTimeout(resolve, 300)) });
      await child.start();
      await wait(child);
      console.log(child.exitCode, daemon.exitCode);
    }
  `);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, '0 null\n0 null\n');
});

test('An uncaught error in the main process still waits for its children, prints, and exits 1', async () => {
  const { code, stdout, stderr } = await runProgram(`
    import { Process } from 'furca';
    const child = new Process({ target: async () => { await new Promise((resolve) => setTimeout(resolve, 200)); console.log('child done'); } });
    await child.start();
    throw new RangeError('main fell over');
  `);
  assert.equal(code, 1);
  assert.match(stderr, /main fell over/);
  assert.equal(stdout, 'child done\n');
});

test('start() in an exit handler neither hangs nor leaves a process', async () => {
  const program = startProgram(`
    import { Process } from 'furca';
    await new Process({ target: () => {} }).start();
    process.on('exit', () => { void new Process({ target: () => {} }).start().catch(() => {}); });
  `);
  const { code, stderr } = await program.result;
  assert.equal(code, 0, stderr);
});

test('Two families on one machine do not disturb each other', async () => {
  const source = `
    import { Process } from 'furca';
    const children = Array.from({ length: 20 }, (_, n) => new Process({ target: (n) => process.exit(n), args: [n] }));
    await Promise.all(children.map((child) => child.start()));
    await Promise.all(children.map((child) => child.join()));
    console.log(JSON.stringify(children.map((child, n) => child.exitCode === n)));
  `;
  const results = await Promise.all([runProgram(source), runProgram(source)]);
  for (const { code, stdout, stderr } of results) {
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), Array(20).fill(true));
  }
});

test('At the limit of processes start() rejects with ERR_FURCA_START_FAILED and EAGAIN, and works again below it', async () => {
  // A limit of processes does not bind root: the program takes another user's id first, where it may.
  const isRoot = process.getuid?.() === 0;
  const { code, stdout, stderr } = await runProgram(
    `
    import { spawnSync } from 'node:child_process';
    import { createRequire } from 'node:module';
    import { Process } from 'furca';
    if (process.getuid() === 0) process.setuid(54321);
    const koffi = createRequire('furca')('koffi');
    const libc = koffi.load(null);
    // A process that has changed its user may not look into /proc until it says that it may be looked at.
    libc.func('int prctl(int option, uint64_t value)')(4, 1);
    const first = new Process({ startMethod: 'fork', target: () => {} });
    await first.start();
    await first.join();
    const setrlimit = libc.func('int setrlimit(int what, void *limits)');
    const now = new BigUint64Array(2);
    libc.func('int getrlimit(int what, void *limits)')(6, now);
    const NPROC = 6;
    const limit = (count) => setrlimit(NPROC, new BigUint64Array([count, now[1]]));
    if (limit(1n) !== 0) throw new Error('no limit');
    const refused = new Process({ startMethod: 'fork', target: () => {} });
    const error = await refused.start().then(() => null, (reason) => reason);
    limit(now[0]);
    const next = new Process({ startMethod: 'fork', target: () => process.exit(3) });
    await next.start();
    await next.join();
    console.log(JSON.stringify([error?.code, /EAGAIN/.test(error?.message), next.exitCode]));
  `,
    { flags: FORK_READY },
  );
  assert.equal(code, 0, stderr);
  if (isRoot) assert.deepEqual(JSON.parse(stdout), ['ERR_FURCA_START_FAILED', true, 3]);
});
