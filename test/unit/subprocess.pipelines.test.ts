import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Pool } from '../../src/index.js';
import { call, PIPE, Popen, run, runSync, TimeoutExpired } from '../../src/subprocess.js';
import { leavingNothing, scratchFolder } from '../fixtures/subprocess-scratch.js';
import { privateKiB } from '../harness/proc.js';
import { eventually, watchTests } from '../harness/watchdog.js';

const folder = scratchFolder();
watchTests();

/** Tells whether a command waits for something. */
function sleeps({ pid }: { readonly pid: number }): boolean {
  return /^State:\s+S/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

test('the stdout of one command is the stdin of the next, without a byte through this program', async () => {
  await leavingNothing(async () => {
    const first = new Popen(['seq', '1', '100000'], { stdout: PIPE });
    const second = new Popen(['grep', '7'], { stdin: first.stdout, stdout: PIPE });
    const third = new Popen(['wc', '-l'], { stdin: second.stdout, stdout: PIPE, text: true });
    assert.deepEqual(await third.communicate(), ['40951\n', null]);
    assert.deepEqual([await first.wait(), await second.wait()], [0, 0]);
  });
});

test('the first command of a pipeline ends by SIGPIPE when the last one ends', async () => {
  await leavingNothing(async () => {
    const endless = new Popen(['yes'], { stdout: PIPE });
    const head = new Popen(['head', '-n', '1'], { stdin: endless.stdout, stdout: PIPE, text: true });
    assert.deepEqual(await head.communicate(), ['y\n', null]);
    assert.equal(await endless.wait(), -13);
  });
});

test('the stdin of one command is the stdout of another', async () => {
  const sort = new Popen(['sort'], { stdin: PIPE, stdout: PIPE, text: true });
  assert.equal(await call(['printf', 'b\\na\\n'], { stdout: sort.stdin }), 0);
  assert.deepEqual(await sort.communicate(), ['a\nb\n', null]);
});

test('a stream is handed over whole although time passes between, and not once it is read here', async () => {
  const first = new Popen(['printf', 'abc'], { stdout: PIPE });
  await first.wait();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const second = await run(['cat'], { stdin: first.stdout, captureOutput: true, text: true });
  assert.equal(second.stdout, 'abc');
  const read = new Popen(['printf', 'abc'], { stdout: PIPE });
  read.stdout.on('data', () => {});
  await assert.rejects(run(['cat'], { stdin: read.stdout }), { code: 'ERR_FURCA_INVALID_STATE' });
  await assert.rejects(run(['cat'], { stdin: first.stdout }), { code: 'ERR_FURCA_INVALID_STATE' });
  await read.wait();
});

test('a command that could not be started leaves the stream that was handed over to who tries again', async () => {
  const first = new Popen(['printf', 'abc'], { stdout: PIPE });
  await assert.rejects(run(['no-such-program'], { stdin: first.stdout }), {
    code: 'ERR_FURCA_COMMAND_NOT_FOUND',
  });
  assert.throws(() => runSync(['no-such-program'], { stdin: first.stdout }), {
    code: 'ERR_FURCA_COMMAND_NOT_FOUND',
  });
  const second = await run(['cat'], { stdin: first.stdout, captureOutput: true, text: true });
  assert.equal(second.stdout, 'abc');
});

test('the blocking form takes the stream of a command, too, and closes it here', async () => {
  const first = new Popen(['yes'], { stdout: PIPE });
  assert.equal(runSync(['head', '-n', '1'], { stdin: first.stdout, stdout: PIPE, text: true }).stdout, 'y\n');
  assert.equal(await first.wait(), -13);
});

test('commands run in worker threads; umask, which belongs to the whole process, is refused there', async () => {
  const door = new URL('../../src/subprocess.js', import.meta.url).href;
  const worker = new Worker(
    `import(${JSON.stringify(door)}).then(async ({ getOutput, getOutputSync, run }) => {
       const refused = await run(['true'], { umask: 0o077 }).catch((error) => error.code);
       const late = await run(['sleep', '60'], { timeoutMs: 100 }).catch((error) => error.code);
       require('node:worker_threads').parentPort.postMessage([await getOutput('echo a'), getOutputSync('echo b'), refused, late]);
     });`,
    { eval: true },
  );
  const [answers] = (await once(worker, 'message')) as [unknown];
  assert.deepEqual(answers, ['a', 'b', 'ERR_FURCA_INVALID_ARGUMENT', 'ERR_FURCA_COMMAND_TIMEOUT']);
  await worker.terminate();
});

test('a command waits while nobody reads: this program’s memory does not take its output', async () => {
  const p = new Popen(['yes'], { stdout: PIPE });
  p.stdout.once('readable', () => {});
  const before = privateKiB(process.pid);
  await eventually('the command sleeps', () => sleeps(p));
  // Far more than waiting takes, and far less than the command could have written.
  assert.ok(privateKiB(process.pid) - before < 64 * 1024);
  assert.ok(p.stdout.readableLength <= 256 * 1024);
  p.close();
  assert.equal(await p.wait(), -13);
});

test('a command waits with its output after communicate has timed out', async () => {
  const p = new Popen(['yes'], { stdout: PIPE });
  const error = await p.communicate(null, { timeoutMs: 50 }).then(
    () => assert.fail('it ended'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof TimeoutExpired && error.stdout !== null);
  await eventually('the command sleeps', () => sleeps(p));
  p.close();
  assert.equal(await p.wait(), -13);
});

test('streams are those of Node: pipeline() moves 8 MiB through a command unchanged', async () => {
  const bytes = Buffer.alloc(8 * 1024 * 1024, 'furca-');
  const p = new Popen(['cat'], { stdin: PIPE, stdout: PIPE });
  const source = new PassThrough();
  source.end(bytes);
  const [, found] = await Promise.all([pipeline(source, p.stdin), buffer(p.stdout)]);
  assert.ok(found.equals(bytes));
  assert.equal(await p.wait(), 0);
});

test('output stays readable after the end of its command', async () => {
  const p = new Popen(['printf', 'kept'], { stdout: PIPE, text: true });
  await p.wait();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(await p.communicate(), ['kept', null]);
  assert.deepEqual(await p.communicate(), ['kept', null]);
});

test('pipes are pipes: a command can open /dev/stdin and /dev/stdout', async () => {
  const done = await run('cat /dev/stdin > /dev/stdout', {
    shell: true,
    input: 'through',
    captureOutput: true,
    text: true,
  });
  assert.deepEqual([done.returnCode, done.stdout, done.stderr], [0, 'through', '']);
});

test('a stream without a descriptor is refused, and says what to do', async () => {
  const unopened = createWriteStream(join(folder, 'unopened'));
  for (const stdout of [new PassThrough(), unopened]) {
    await assert.rejects(call(['true'], { stdout }), { code: 'ERR_FURCA_INVALID_ARGUMENT', message: /PIPE/ });
  }
  unopened.destroy();
  await assert.rejects(call(['true'], { stdout: PIPE }), { message: /Nobody would serve it/ });
  await assert.rejects(call(['true'], { stdin: 'inherit' as never }), { code: 'ERR_FURCA_INVALID_ARGUMENT' });
});

test('passFds keeps descriptors open under their numbers, and no other', async () => {
  const first = new Popen(['cat'], { stdin: PIPE, stdout: PIPE });
  const { fd } = first.stdin;
  const options = { shell: true, captureOutput: true, text: true } as const;
  const line = 'exec ls /proc/self/fd';
  const without = await run(line, options);
  const passed = await run(`printf passed > /proc/self/fd/${fd}; ${line}`, { ...options, passFds: [fd] });
  const output = await first.communicate();
  // What this program was started with may be among them, but nothing that it has opened since.
  const before = without.stdout.split('\n');
  assert.ok(!before.includes(String(fd)));
  assert.deepEqual(
    passed.stdout.split('\n').filter((one) => !before.includes(one)),
    [String(fd)],
  );
  assert.deepEqual(output, [Buffer.from('passed'), null]);
  await assert.rejects(run(['true'], { passFds: [1] }), { code: 'ERR_FURCA_INVALID_ARGUMENT' });
});

test('commands run in pool workers, and their errors come back whole', async () => {
  const door = new URL('../../src/subprocess.js', import.meta.url).href;
  const pool = new Pool(1);
  const work = async (url: string, line: string): Promise<string> => {
    const subprocess = (await import(url)) as typeof import('../../src/subprocess.js');
    return subprocess.checkOutput(line, { shell: true, text: true });
  };
  try {
    assert.equal(await pool.apply(work, [door, 'echo from a worker']), 'from a worker\n');
    const { CalledProcessError } = await import('../../src/subprocess.js');
    await assert.rejects(pool.apply(work, [door, 'echo out; kill -9 $$']), (error: unknown) => {
      assert.ok(error instanceof CalledProcessError);
      assert.deepEqual([error.returnCode, error.signal, error.output], [-9, 'SIGKILL', 'out\n']);
      return true;
    });
  } finally {
    await pool.close();
  }
});

test('pipeSizeBytes is how much a pipe holds', async () => {
  const size = 256 * 1024;
  const p = new Popen('head -c 1M /dev/zero', { shell: true, stdout: PIPE, pipeSizeBytes: size });
  await eventually('the command sleeps', () => sleeps(p));
  const taken = new Popen(['head', '-c', String(size)], { stdin: p.stdout, stdout: PIPE });
  const [output] = await taken.communicate();
  assert.equal(output.length, size);
  await p.wait();
  await assert.rejects(run(['true'], { pipeSizeBytes: 0 }), { code: 'ERR_FURCA_INVALID_ARGUMENT' });
  assert.throws(() => new Popen(['true'], { stdout: PIPE, pipeSizeBytes: 0x7fff_ffff }), {
    code: 'ERR_FURCA_SYSTEM_CALL',
  });
});
