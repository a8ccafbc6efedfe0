import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { PIPE, Popen, run, runSync, TimeoutExpired } from '../../src/subprocess.js';
import { limitAtWill } from '../fixtures/limit-at-will.js';
import { someTurns } from '../fixtures/pool-outcomes.js';
import { leavingNothing, running, scratchFolder, uniqueSeconds } from '../fixtures/subprocess-scratch.js';
import { processEntry } from '../harness/proc.js';
import { runProgram } from '../harness/programs.js';
import { eventually, watchTests } from '../harness/watchdog.js';

const folder = scratchFolder();
watchTests();

/** Stopped before it is `sleep` it would not be found. */
const STOPPED = 'sleep S & until grep -qa ^sleep /proc/$!/cmdline; do :; done; kill -STOP $!; wait';
/** Trees that a timeout must end whole; `S` is a number of seconds by which their members are found, and how many these are. */
const TREES: Readonly<Record<string, readonly [members: number, line: string]>> = {
  'a child': [1, 'sleep S; :'],
  'a child in the background that holds the pipe': [1, 'sleep S & wait'],
  'a grandchild': [1, 'sh -c "sleep S; :"; :'],
  'an orphan': [2, '(sleep S &); sleep S; :'],
  'an orphan of a command that has ended': [1, 'sleep S & exit 0'],
  'an orphan that holds no pipe': [2, '(sleep S >/dev/null 2>&1 </dev/null &); sleep S; :'],
  'a child in a session of its own': [1, 'setsid sleep S & wait'],
  'a daemon: an orphan in a session of its own': [2, '(setsid sleep S &) ; sleep S; :'],
  'a child without environment': [1, 'env -i sleep S; :'],
  'one that takes no notice of SIGTERM': [1, 'trap "" TERM HUP INT; sleep S; sleep S'],
  'one that is stopped': [1, STOPPED],
};

/** Resolves once so many processes sleep for `seconds`, and what was written before that has been read. */
async function treeStands(seconds: string, members: number, asleep: 'S' | 'T' = 'S'): Promise<void> {
  const sleeping = (): number =>
    running(`sleep ${seconds}`).filter(
      ({ command, state }) => command === `sleep ${seconds}` && state === asleep,
    ).length;
  await eventually('the tree stands', () => sleeping() >= members);
  await someTurns();
}

const treeIsGone = (seconds: string): Promise<void> =>
  eventually('the tree is gone', () => running(`sleep ${seconds}`).length === 0);

describe('a timeout ends the whole tree', { concurrency: 6 }, () => {
  for (const [what, [members, line]] of Object.entries(TREES)) {
    test(what, async () => {
      const seconds = uniqueSeconds();
      const { timeoutMs, expire } = limitAtWill();
      const command = `echo began; ${line.replace(/\bS\b/g, seconds)}`;
      const done = run(command, { shell: true, captureOutput: true, text: true, timeoutMs }).then(
        () => assert.fail('it ended by itself'),
        (thrown: unknown) => thrown,
      );
      await treeStands(seconds, members, line === STOPPED ? 'T' : 'S');
      expire();
      const error = await done;
      assert.ok(error instanceof TimeoutExpired, String(error));
      assert.deepEqual([error.stdout, error.stderr], ['began\n', '']);
      await treeIsGone(seconds);
    });
  }

  // These block, so each has a process of its own; and their limit must be over by itself.
  for (const what of ['an orphan', 'a daemon: an orphan in a session of its own', 'a grandchild']) {
    const [, tree = ''] = TREES[what] ?? [];
    test(`that of the blocking form, too: ${what}`, async () => {
      const seconds = uniqueSeconds();
      const line = tree.replace(/\bS\b/g, seconds);
      const options = { shell: true, captureOutput: true, text: true, timeoutMs: 12_000 };
      const { stdout, stderr } = await runProgram(`import { runSync } from 'furca/subprocess';
        try { runSync(${JSON.stringify(`echo é; ${line}`)}, ${JSON.stringify(options)}); }
        catch (error) { console.log(JSON.stringify([error.code, error.stdout])); }`);
      assert.equal(stdout, '["ERR_FURCA_COMMAND_TIMEOUT","é\\n"]\n', stderr);
      await treeIsGone(seconds);
    });
  }
});

test('a tree that forks as fast as it can is ended whole', async () => {
  const seconds = uniqueSeconds();
  const { timeoutMs, expire } = limitAtWill();
  const line = `while :; do sleep ${seconds} & sleep 0.01; done`;
  const done = assert.rejects(run(line, { shell: true, captureOutput: true, timeoutMs }), TimeoutExpired);
  await treeStands(seconds, 5);
  expire();
  await done;
  await treeIsGone(seconds);
});

test('a process that cannot be found does not make a timeout hang', { timeout: 100_000 }, async () => {
  const seconds = uniqueSeconds();
  const { timeoutMs, expire } = limitAtWill();
  // Without its environment, its parent and its session nothing tells where it comes from.
  const line = `echo began; (env -i setsid sleep ${seconds} &); exec sleep 60`;
  const done = assert.rejects(run(line, { shell: true, captureOutput: true, text: true, timeoutMs }), {
    stdout: 'began\n',
  });
  try {
    await treeStands(seconds, 1);
    await eventually('its parent is gone', () => running(`sleep ${seconds}`).length === 1);
    expire();
    await done;
  } finally {
    for (const { pid } of running(`sleep ${seconds}`)) process.kill(pid, 'SIGKILL');
  }
});

test('nor does one that goes on writing into the pipe', { timeout: 100_000 }, async () => {
  const go = join(folder, 'go');
  const { timeoutMs, expire } = limitAtWill();
  const writer = `while [ ! -e ${go} ]; do sleep 0.01; done; exec yes`;
  const line = `(env -i setsid sh -c '${writer}' &); exec sleep 60`;
  const done = run(line, { shell: true, captureOutput: true, text: true, timeoutMs }).then(
    () => assert.fail('it ended by itself'),
    (thrown: unknown) => thrown,
  );
  const find = (): number | undefined =>
    running(writer).find(({ command }) => /^sh -c while/.test(command))?.pid;
  // The shell in between has the same text on its command line, and ends.
  await eventually('the writer waits', () => running(writer).length === 1 && find() !== undefined);
  const pid = find() as number;
  writeFileSync(go, '');
  // It floods the pipe for a moment only, or its output would fill this program.
  await eventually('it writes', () => processEntry(pid)?.command === 'yes');
  expire();
  const error = await done;
  assert.ok(error instanceof TimeoutExpired && typeof error.stdout === 'string');
  // Then the pipe is closed: the writer that was not found ends by SIGPIPE.
  await eventually(
    'the writer is gone',
    () => processEntry(pid) === undefined || processEntry(pid)?.state === 'Z',
  );
});

test('a command of another user is not killed, and that is told', async () => {
  if (process.getuid?.() !== 0) return;
  const program = join(folder, 'other-user.mjs');
  const door = new URL('../../src/subprocess/process-tree.js', import.meta.url).href;
  writeFileSync(
    program,
    `import { killTree } from ${JSON.stringify(door)};
     const root = Number(process.argv[2]);
     process.setuid(65534);
     console.log(killTree({ rootPid: root, groupId: undefined, mark: undefined }));`,
  );
  const other = new Popen(['sleep', '60']);
  const done = await run([process.execPath, program, String(other.pid)], { captureOutput: true, text: true });
  assert.deepEqual([done.stdout, other.poll()], ['false\n', null], done.stderr);
  other.kill();
  assert.equal(await other.wait(), -9);
});

test('an aborted run ends the whole tree and rejects with the reason; before the start nothing is started', async () => {
  await leavingNothing(async () => {
    const seconds = uniqueSeconds();
    const abort = new AbortController();
    const done = run(`(sleep ${seconds} &); sleep ${seconds}`, {
      shell: true,
      stdout: PIPE,
      signal: abort.signal,
    });
    await eventually('the tree runs', () => running(`sleep ${seconds}`).length >= 2);
    const reason = new Error('enough');
    abort.abort(reason);
    await assert.rejects(done, (error) => error === reason);
    await treeIsGone(seconds);
    await assert.rejects(run(['sleep', seconds], { signal: abort.signal }), (error) => error === reason);
    assert.throws(
      () => new Popen(['sleep', seconds], { signal: abort.signal }),
      (error) => error === reason,
    );
  });
});

test('a Popen’s signal ends its tree; a wait that is aborted leaves it running', async () => {
  const seconds = uniqueSeconds();
  const abort = new AbortController();
  const p = new Popen(`sleep ${seconds} & sleep ${seconds}`, { shell: true, signal: abort.signal });
  const wait = new AbortController();
  const waiting = p.wait({ signal: wait.signal });
  wait.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  assert.equal(p.poll(), null);
  abort.abort();
  assert.equal(await p.wait(), -9);
  await treeIsGone(seconds);
});

test('killTree without a mark finds descendants and members of the own session', async () => {
  const seconds = uniqueSeconds();
  const p = new Popen(`(sleep ${seconds} &); sleep ${seconds}`, { shell: true, startNewSession: true });
  await eventually('the tree runs', () => running(`sleep ${seconds}`).length >= 2);
  p.killTree();
  assert.equal(await p.wait(), -9);
  p.killTree();
  await treeIsGone(seconds);
});

test('marks of nested programs do not get lost: the outer timeout ends what the inner program has started', async () => {
  const seconds = uniqueSeconds();
  const door = new URL('../../src/subprocess.js', import.meta.url).href;
  const program = `import { Popen } from ${JSON.stringify(door)};
    const p = new Popen('(setsid sleep ${seconds} &)', { shell: true, trackTree: true, env: { PATH: process.env.PATH } });
    await p.wait(); process.exit();`;
  const command = [process.execPath, '--input-type=module', '--eval', program];
  const line = ['"$@"; sleep 60', 'sh', ...command];
  const { timeoutMs, expire } = limitAtWill();
  const done = assert.rejects(run(line, { shell: true, timeoutMs }), TimeoutExpired);
  await treeStands(seconds, 1);
  expire();
  await done;
  await treeIsGone(seconds);
});

test('signals to an ended command go nowhere', async () => {
  const p = new Popen(['true']);
  await p.wait();
  p.sendSignal('SIGTERM');
  p.terminate();
  p.kill();
  p.killTree();
  assert.equal(p.returnCode, 0);
  assert.throws(() => p.sendSignal('SIGNOPE' as NodeJS.Signals), { code: 'ERR_FURCA_INVALID_ARGUMENT' });
});

test('200 commands at once, and 400 one after the other, leave no descriptor and no process', {
  timeout: 100_000,
}, async () => {
  await leavingNothing(async () => {
    const numbers = Array.from({ length: 200 }, (_, i) => i);
    const done = await Promise.all(
      numbers.map((i) => run(['cat'], { input: `number ${i}`, captureOutput: true, text: true })),
    );
    assert.deepEqual(
      done.map(({ stdout }) => stdout),
      numbers.map((i) => `number ${i}`),
    );
    for (let i = 0; i < 200; i++) await run(['true'], { captureOutput: true, input: Buffer.from('unread') });
    for (let i = 0; i < 200; i++) runSync(['true'], { captureOutput: true });
  });
});

test('pipes of a Popen that was dropped unread are closed', async () => {
  const program = `import { Popen, PIPE } from 'furca/subprocess';
    import { readdirSync } from 'node:fs';
    const open = () => readdirSync('/proc/self/fd').length;
    await new Popen(['true']).wait();
    const before = open();
    for (let i = 0; i < 50; i++) await new Popen(['true'], { stdin: PIPE, stdout: PIPE }).wait();
    for (let i = 0; i < 1000 && open() > before; i++) { gc(); await new Promise((r) => setTimeout(r, 10)); }
    console.log(open() <= before);`;
  const { stdout, stderr } = await runProgram(program, { flags: ['--expose-gc'] });
  assert.equal(stdout, 'true\n', stderr);
});

test('without free descriptors a command does not start, and says so; nothing is left', async () => {
  const program = `import { Popen, PIPE, run } from 'furca/subprocess';
    import { openSync, closeSync } from 'node:fs';
    await run(['true'], { captureOutput: true });
    const fds = [];
    try { for (;;) fds.push(openSync('/dev/null', 'r')); } catch {}
    const codes = [];
    for (let free = 0; free < 12; free++) {
      try { await new Popen(['true'], { stdin: PIPE, stdout: PIPE, stderr: PIPE }).communicate(); codes.push('ran'); }
      catch (error) { codes.push(error.errnoCode); }
      closeSync(fds.pop());
    }
    for (const fd of fds) closeSync(fd);
    console.log(JSON.stringify(codes), (await run(['true'])).returnCode);`;
  const limited = await run(['ulimit -n 64; exec "$@"', 'sh', process.execPath, writeProgram(program)], {
    shell: true,
    captureOutput: true,
    text: true,
  });
  assert.match(limited.stdout, /^\[("EMFILE",){6,}("ran",?)+\] 0\n$/, limited.stderr);
});

function writeProgram(source: string): string {
  const path = join(folder, 'program.mjs');
  const door = new URL('../../src/subprocess.js', import.meta.url).href;
  writeFileSync(path, source.replace("'furca/subprocess'", JSON.stringify(door)));
  return path;
}

test('arguments that are too long, and an interpreter that is missing, are told apart', async () => {
  await assert.rejects(run(['echo', 'x'.repeat(4 * 1024 * 1024)]), {
    code: 'ERR_FURCA_START_FAILED',
    errnoCode: 'E2BIG',
  });
  const script = join(folder, 'no-interpreter');
  writeFileSync(script, '#!/no/such/interpreter\n', { mode: 0o755 });
  // A binary for another C library: its dynamic loader is not here.
  const binary = join(folder, 'no-loader');
  const bytes = readFileSync('/bin/sh');
  const [loader = ''] = /\/lib[\w/.-]*\/ld-[\w.-]+/.exec(bytes.toString('latin1')) ?? [];
  assert.notEqual(loader, '');
  bytes.write('/no', bytes.indexOf(loader), 'latin1');
  writeFileSync(binary, bytes, { mode: 0o755 });
  for (const path of [script, binary])
    for (const start of [() => run([path]), async () => runSync([path]), async () => new Popen([path])])
      await assert.rejects(start, { code: 'ERR_FURCA_COMMAND_NOT_FOUND', path, message: /is missing: \/no/ });
  const locked = join(folder, 'locked-interpreter');
  writeFileSync(locked, `#!${folder}\n`, { mode: 0o755 });
  await assert.rejects(run([locked]), { code: 'ERR_FURCA_COMMAND_NOT_EXECUTABLE' });
});

test('a program is looked for in the PATH of its own environment', async () => {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'only-here'), '#!/bin/sh\necho found\n', { mode: 0o755 });
  const options = { captureOutput: true, text: true } as const;
  await assert.rejects(run(['only-here'], options), { code: 'ERR_FURCA_COMMAND_NOT_FOUND' });
  assert.equal((await run(['only-here'], { ...options, env: { PATH: bin } })).stdout, 'found\n');
  const spaced = run('only here');
  await assert.rejects(spaced, { message: /list of words, or shell: true/ });
});

test('a program that ends leaves a command alone that is unreferenced', async () => {
  const seconds = uniqueSeconds();
  const { code } = await runProgram(`import { Popen, DEVNULL } from 'furca/subprocess';
    new Popen(['sleep', '${seconds}'], { stdin: DEVNULL, stdout: DEVNULL, stderr: DEVNULL }).unref();`);
  assert.equal(code, 0);
  const [left] = running(`sleep ${seconds}`);
  assert.ok(left);
  process.kill(left.pid, 'SIGKILL');
});

test('the environment is exactly the one that is given, unless the tree is tracked', async () => {
  const options = { env: { ONLY: 'this' }, captureOutput: true, text: true } as const;
  assert.equal((await run(['/usr/bin/env'], options)).stdout, 'ONLY=this\n');
  const tracked = await run(['/usr/bin/env'], { ...options, timeoutMs: 100_000 });
  assert.match(tracked.stdout, /^ONLY=this\nFURCA_SUBPROCESS=\S+\n$/);
});
