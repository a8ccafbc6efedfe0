import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeEach, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  CalledProcessError,
  CommandStartError,
  call,
  callSync,
  checkCall,
  checkOutput,
  checkOutputSync,
  DEVNULL,
  getOutput,
  getStatusOutput,
  getStatusOutputSync,
  PIPE,
  Popen,
  run,
  runSync,
  STDOUT,
  TimeoutExpired,
} from '../../src/subprocess.js';
import {
  leavingNothing,
  python,
  running,
  scratchFolder,
  uniqueSeconds,
} from '../fixtures/subprocess-scratch.js';
import { eventually, watchTests } from '../harness/watchdog.js';

const folder = scratchFolder();
const NODE = process.execPath;
const bad = { code: 'ERR_FURCA_INVALID_ARGUMENT' } as const;
watchTests();

let file = '';
let files = 0;
beforeEach(() => {
  file = join(folder, `file-${++files}`);
});

/** For a shell: waits for the file that is its $0. */
const untilThere = 'until [ -e "$0" ]; do sleep 0.02; done';

/** A file that is open for writing while `use` runs; answers what is in it then. */
async function written(use: (fd: number) => unknown): Promise<string> {
  const fd = openSync(file, 'w+');
  try {
    await use(fd);
  } finally {
    closeSync(fd);
  }
  return readFileSync(file, 'utf8');
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => assert.fail('it did not fail'),
    (error: unknown) => error,
  );
}

test('SP-02: call, run and checkOutput of an endless command time out, and the command is dead', async () => {
  const seconds = uniqueSeconds();
  await leavingNothing(async () => {
    const command = ['sleep', seconds];
    const options = { timeoutMs: 100 };
    for (const start of [
      () => call(command, options),
      () => checkCall(command, options),
      () => run(command, options),
      () => checkOutput(command, options),
    ]) {
      const error = await failure(start());
      assert.ok(error instanceof TimeoutExpired);
      assert.equal(error.code, 'ERR_FURCA_COMMAND_TIMEOUT');
      assert.equal(error.timeoutMs, 100);
    }
  });
});

test('SP-03: a timeout of 0 leaves the command no time; a negative one, which Python takes, is a mistake', async () => {
  const error = await failure(run(['sleep', '5'], { timeoutMs: 0 }));
  assert.ok(error instanceof TimeoutExpired);
  assert.match(error.message, /within 0 ms/);
  await assert.rejects(run(['true'], { timeoutMs: -1 }), bad);
  assert.throws(() => runSync(['sleep', '5'], { timeoutMs: 0 }), { code: 'ERR_FURCA_COMMAND_TIMEOUT' });
});

test('SP-04: checkOutput merges stderr, takes stdin and input, and refuses what it sets itself', async () => {
  assert.equal(
    await checkOutput('echo out; echo err >&2', { shell: true, stderr: STDOUT, text: true }),
    'out\nerr\n',
  );
  writeFileSync(file, 'pear');
  const handle = await open(file);
  assert.deepEqual(await checkOutput(['cat'], { stdin: handle }), Buffer.from('pear'));
  await handle.close();
  assert.deepEqual(await checkOutput(['cat'], { input: Buffer.from('pear') }), Buffer.from('pear'));
  assert.deepEqual(await checkOutput(['cat'], { input: null }), Buffer.alloc(0));
  assert.equal(await checkOutput(['cat'], { input: null, text: true }), '');
  assert.equal(checkOutputSync(['cat'], { input: null, encoding: 'utf-16' }), '');
  for (const wrong of [{ stdout: PIPE }, { check: false }, { stdin: PIPE, input: Buffer.alloc(1) }]) {
    await assert.rejects(checkOutput(['true'], wrong as object), (error: Error) => {
      assert.match(error.message, new RegExp(Object.keys(wrong).join('|')));
      return (error as { code?: unknown }).code === bad.code;
    });
  }
});

test('SP-06: each stream is a pipe, a descriptor, a file object or nothing', async () => {
  const echo = 'cat; echo out; echo err >&2';
  writeFileSync(file, 'in\n');
  const input = openSync(file, 'r');
  const piped = await run(echo, { shell: true, stdin: input, stdout: PIPE, stderr: PIPE, text: true });
  closeSync(input);
  assert.deepEqual([piped.stdout, piped.stderr], ['in\nout\n', 'err\n']);
  const out = await written((fd) => call(echo, { shell: true, stdin: DEVNULL, stdout: fd, stderr: fd }));
  assert.equal(out, 'out\nerr\n');
  const handle = await open(file, 'w');
  await call(echo, { shell: true, stdin: DEVNULL, stdout: handle, stderr: DEVNULL });
  await handle.close();
  assert.equal(readFileSync(file, 'utf8'), 'out\n');
  const stream = (await open(file, 'w')).createWriteStream();
  await call(echo, { shell: true, stdin: DEVNULL, stdout: DEVNULL, stderr: stream });
  stream.end();
  assert.equal(readFileSync(file, 'utf8'), 'err\n');
});

test('SP-06: stderr follows stdout to a pipe, to a file, and to where this program writes', async () => {
  const both = 'printf apple; printf orange >&2';
  const piped = await run(both, { shell: true, stdout: PIPE, stderr: STDOUT, text: true });
  assert.deepEqual([piped.stdout, piped.stderr], ['appleorange', null]);
  assert.equal(await written((fd) => call(both, { shell: true, stdout: fd, stderr: STDOUT })), 'appleorange');
  const door = new URL('../../src/subprocess.js', import.meta.url).href;
  const program = `import { call, callSync, STDOUT } from ${JSON.stringify(door)};
    await call(${JSON.stringify(both)}, { shell: true, stderr: STDOUT });
    callSync(${JSON.stringify(both)}, { shell: true, stderr: STDOUT });`;
  const outer = await run([NODE, '--input-type=module', '--eval', program], {
    captureOutput: true,
    text: true,
  });
  assert.deepEqual([outer.stdout, outer.stderr], ['appleorangeappleorange', '']);
  for (const start of [call, run])
    await assert.rejects(start(['true'], { stdout: STDOUT as never }), { ...bad, message: /stdout/ });
});

test('SP-07: executable replaces the program, and the shell; paths may be URLs', async () => {
  const options = { executable: '/bin/sh', captureOutput: true, text: true } as const;
  assert.equal((await run(['renamed', '-c', 'echo $0'], options)).stdout, 'renamed\n');
  assert.equal(runSync(['renamed', '-c', 'echo $0'], options).stdout, 'renamed\n');
  const bash = await run('echo $0', { ...options, shell: true, executable: '/bin/bash' });
  assert.equal(bash.stdout, '/bin/bash\n');
  assert.equal(await call([pathToFileURL('/bin/true')]), 0);
  assert.equal(await call(['x'], { executable: pathToFileURL('/bin/true') }), 0);
  await assert.rejects(call([new URL('https://example.org/')]), bad);
});

test('SP-08: cwd holds, a relative program is looked for in it, and a missing one is named', async () => {
  assert.equal(await checkOutput(['pwd'], { cwd: folder, text: true }), `${folder}\n`);
  assert.equal(await checkOutput(['pwd'], { cwd: pathToFileURL(`${folder}/`), text: true }), `${folder}\n`);
  writeFileSync(join(folder, 'here.sh'), '#!/bin/sh\necho here\n', { mode: 0o755 });
  assert.equal(await checkOutput(['./here.sh'], { cwd: folder, text: true }), 'here\n');
  await assert.rejects(call(['./here.sh']), { code: 'ERR_FURCA_COMMAND_NOT_FOUND', path: './here.sh' });
  const missing = join(folder, 'no-such-folder');
  for (const start of [
    () => call(['true'], { cwd: missing }),
    async () => callSync(['true'], { cwd: missing }),
  ]) {
    await assert.rejects(start, { code: 'ERR_FURCA_BAD_CWD', errnoCode: 'ENOENT', path: missing });
  }
  for (const start of [() => call(['true'], { cwd: '' }), async () => callSync(['true'], { cwd: '' })])
    await assert.rejects(start, { code: 'ERR_FURCA_BAD_CWD', errnoCode: 'ENOENT', path: '' });
  await assert.rejects(call(['true'], { cwd: join(folder, 'here.sh') }), {
    code: 'ERR_FURCA_BAD_CWD',
    errnoCode: 'ENOTDIR',
  });
});

test('SP-10: a NUL in a program, argument, directory or variable is a mistake', async () => {
  await assert.rejects(call(['tr\0ue']), bad);
  await assert.rejects(call(['true', 'a\0b']), bad);
  await assert.rejects(call(['true'], { cwd: '/\0' }), bad);
  await assert.rejects(call(['true'], { env: { A: 'b\0' } }), bad);
  await assert.rejects(call(['true'], { env: { 'A=B': 'c' } }), bad);
});

test('SP-11: a missing program and one that may not be executed are told apart; a shell answers 127', async () => {
  await assert.rejects(run(['no-such-program']), (error: unknown) => {
    assert.ok(error instanceof CommandStartError);
    assert.deepEqual(
      [error.code, error.errnoCode, error.path],
      ['ERR_FURCA_COMMAND_NOT_FOUND', 'ENOENT', 'no-such-program'],
    );
    return true;
  });
  writeFileSync(file, '#!/bin/sh\n', { mode: 0o644 });
  await assert.rejects(run([file]), {
    code: 'ERR_FURCA_COMMAND_NOT_EXECUTABLE',
    errnoCode: 'EACCES',
    path: file,
  });
  assert.throws(() => runSync([file]), { code: 'ERR_FURCA_COMMAND_NOT_EXECUTABLE' });
  await assert.rejects(run([folder]), { code: 'ERR_FURCA_COMMAND_NOT_EXECUTABLE' });
  assert.equal(await call('no-such-program', { shell: true, stderr: DEVNULL }), 127);
});

test('SP-11: 1,024 failures in a row leave no descriptor', { timeout: 200_000 }, async () => {
  await leavingNothing(() => {
    for (let i = 0; i < 1024; i++) {
      assert.throws(() => new Popen(['no-such-program'], { stdin: PIPE, stdout: PIPE, stderr: PIPE }));
    }
  });
});

test('SP-12: communicate answers what is piped, closes all pipes, and leaves nothing open', async () => {
  const targets = [undefined, PIPE] as const;
  for (const stdin of targets) {
    for (const stdout of targets) {
      for (const stderr of targets) {
        await leavingNothing(async () => {
          const p = new Popen('cat >/dev/null; printf "$WHAT"; printf "$WHAT" >&2', {
            shell: true,
            stdin: stdin ?? DEVNULL,
            stdout,
            stderr,
            env: { WHAT: stdout && stderr ? 'x' : '', PATH: process.env['PATH'] },
            text: true,
          });
          const expected = stdout && stderr ? 'x' : '';
          assert.deepEqual(await p.communicate(), [stdout ? expected : null, stderr ? expected : null]);
          assert.equal(p.returnCode, 0);
          for (const stream of [p.stdin, p.stdout, p.stderr]) assert.ok(stream === null || stream.destroyed);
        });
      }
    }
  }
});

test('SP-14: communicate that timed out goes on and loses nothing', async () => {
  const script = `echo pineapple >&2; ${untilThere}; echo pear >&2; cat`;
  const p = new Popen([script, file], { shell: true, stdin: PIPE, stdout: PIPE, stderr: PIPE, text: true });
  const error = await failure(p.communicate('banana', { timeoutMs: 150 }));
  assert.ok(error instanceof TimeoutExpired);
  assert.equal(error.code, 'ERR_FURCA_TIMEOUT');
  writeFileSync(file, '');
  assert.deepEqual(await p.communicate(), ['banana', 'pineapple\npear\n']);
  const part = (digits: string): string =>
    `for i in ${digits}; do head -c 65536 /dev/zero | tr "\\0" $i; done`;
  const later = `${file}-later`;
  const large = new Popen([`${part('1 2')}; ${untilThere}; ${part('3 4')}`, later], {
    shell: true,
    stdout: PIPE,
  });
  await assert.rejects(large.communicate(null, { timeoutMs: 150 }), { code: 'ERR_FURCA_TIMEOUT' });
  writeFileSync(later, '');
  const [output] = await large.communicate();
  assert.equal(output.length, 4 * 65_536);
  assert.equal(output.toString(), ['1', '2', '3', '4'].map((digit) => digit.repeat(65_536)).join(''));
});

test('SP-15: communicate with a large input to a command that does not read times out, and a second one sends the rest', async () => {
  const p = new Popen([`${untilThere}; cat`, file], { shell: true, stdin: PIPE, stdout: PIPE });
  const input = Buffer.alloc(128 * 1024, 'furca');
  await assert.rejects(p.communicate(input, { timeoutMs: 200 }), { code: 'ERR_FURCA_TIMEOUT' });
  assert.equal(p.poll(), null);
  writeFileSync(file, '');
  const [output] = await p.communicate();
  assert.deepEqual(output, input);
});

test('SP-16: what was written to stdin before communicate comes first; stdin may be closed before', async () => {
  const p = new Popen(['cat'], { stdin: PIPE, stdout: PIPE, text: true });
  p.stdin.write('banana');
  assert.deepEqual(await p.communicate('split'), ['bananasplit', null]);
  const closed = new Popen(['cat'], { stdin: PIPE, stdout: PIPE, text: true });
  closed.stdin.end();
  assert.deepEqual(await closed.communicate(), ['', null]);
  const destroyed = new Popen(['cat'], { stdin: PIPE, stdout: PIPE, text: true });
  destroyed.stdin.destroy();
  assert.deepEqual(await destroyed.communicate('lost'), ['', null]);
});

test('SP-18: text mode reads \\r\\n and \\r as \\n, by piece and in bulk', async () => {
  const script = "printf 'line1\\r\\nline2\\rline3\\n\\rline4\\r'; sleep 0.1; printf '\\nline5\\r\\r\\n'";
  const expected = 'line1\nline2\nline3\n\nline4\nline5\n\n';
  assert.equal(await checkOutput(script, { shell: true, text: true }), expected);
  const p = new Popen(script, { shell: true, stdout: PIPE, text: true });
  assert.equal(await text(p.stdout), expected);
  assert.equal(checkOutputSync(script, { shell: true, text: true }), expected);
});

test('SP-19: poll and wait give the code for ever; a wait may be given up', async () => {
  const p = new Popen([untilThere, file], { shell: true });
  assert.equal(p.poll(), null);
  const error = await failure(p.wait({ timeoutMs: 1 }));
  assert.ok(error instanceof TimeoutExpired);
  assert.match(error.message, /within 1 ms/);
  assert.equal(error.code, 'ERR_FURCA_TIMEOUT');
  writeFileSync(file, '');
  assert.equal(await p.wait(), 0);
  assert.deepEqual([p.poll(), await p.wait(), p.poll(), p.waitSync()], [0, 0, 0, 0]);
  const killed = new Popen(['sleep', '60']);
  const waits = [killed.wait(), killed.wait()];
  killed.kill();
  assert.deepEqual(await Promise.all(waits), [-9, -9]);
});

test('SP-19: poll sees the end although the event loop stands still, and waitSync blocks', () => {
  const p = new Popen(['true']);
  while (p.poll() === null) {}
  assert.equal(p.returnCode, 0);
  const other = new Popen([`${untilThere}; exit 7`, file], { shell: true });
  assert.throws(() => other.waitSync({ timeoutMs: 1 }), { code: 'ERR_FURCA_TIMEOUT' });
  writeFileSync(file, '');
  assert.equal(other.waitSync(), 7);
});

test('SP-20: a command ended by signal N has the code -N, and the error says how it ended', async () => {
  assert.equal((await run('kill -ABRT $$', { shell: true })).returnCode, -6);
  assert.equal(callSync('kill -ABRT $$', { shell: true }), -6);
  const aborted = await failure(checkCall('kill -ABRT $$', { shell: true }));
  assert.ok(aborted instanceof CalledProcessError);
  assert.deepEqual(
    [aborted.returnCode, aborted.signal, aborted.code],
    [-6, 'SIGABRT', 'ERR_FURCA_COMMAND_FAILED'],
  );
  assert.match(aborted.message, /SIGABRT/);
  const failed = await failure(checkOutput('echo out; exit 2', { shell: true, text: true }));
  assert.ok(failed instanceof CalledProcessError);
  assert.deepEqual(
    [failed.returnCode, failed.signal, failed.output, failed.cmd],
    [2, null, 'out\n', 'echo out; exit 2'],
  );
  assert.match(failed.message, /ended with code 2/);
});

test('SP-22: leaving a Popen closes its pipes and waits, also when its input cannot be sent any more', async () => {
  await leavingNothing(async () => {
    const p = new Popen('cat >/dev/null; exit 9', { shell: true, stdin: PIPE, stdout: PIPE, stderr: PIPE });
    await p[Symbol.asyncDispose]();
    assert.equal(p.returnCode, 9);
    assert.ok(p.stdin.destroyed && p.stdout.destroyed && p.stderr.destroyed);
    const gone = new Popen(['true'], { stdin: PIPE });
    await gone.wait();
    gone.stdin.write('nobody reads this');
    await gone[Symbol.asyncDispose]();
    assert.equal(gone.returnCode, 0);
  });
});

test('SP-23: captureOutput captures both, and goes with neither stdout nor stderr', async () => {
  const done = await run('echo out; echo err >&2', { shell: true, captureOutput: true });
  assert.deepEqual([done.stdout, done.stderr], [Buffer.from('out\n'), Buffer.from('err\n')]);
  for (const name of ['stdout', 'stderr']) {
    await assert.rejects(run(['true'], { captureOutput: true, [name]: DEVNULL }), {
      ...bad,
      message: new RegExp(`captureOutput and ${name}`),
    });
  }
});

test('SP-24: a timeout returns although a process that the shell has started keeps the pipe open', async () => {
  const seconds = uniqueSeconds();
  for (const start of [run, async (...args: Parameters<typeof runSync>) => runSync(...args)]) {
    await assert.rejects(
      start(`sleep ${seconds}; true`, { shell: true, timeoutMs: 100, captureOutput: true }),
      {
        code: 'ERR_FURCA_COMMAND_TIMEOUT',
      },
    );
  }
});

test('SP-26: the shell takes a string or a list, whose other words are $0 and $1', async () => {
  const options = { shell: true, text: true } as const;
  assert.equal(await checkOutput('echo $FRUIT', { ...options, env: { FRUIT: 'apple' } }), 'apple\n');
  assert.equal(await checkOutput(['echo $FRUIT'], { ...options, env: { FRUIT: 'apple' } }), 'apple\n');
  assert.equal(await checkOutput(['echo $0 $1', 'a', 'b'], options), 'a b\n');
  assert.equal(await call('', { shell: true }), 0);
});

test('SP-27: session, process group, umask, user and group', async () => {
  const ids = "ps -o sid=,pgid= -p $$ | tr -s ' '; :";
  const own = await checkOutput(ids, { shell: true, text: true });
  for (const options of [{ startNewSession: true }, { processGroup: 0 } as const]) {
    const other = await checkOutput(ids, { shell: true, text: true, ...options });
    const [sid, pgid] = other.trim().split(' ');
    assert.notEqual(other, own);
    assert.equal(sid, pgid);
  }
  const former = process.umask();
  await call(`: > ${file}`, { shell: true, umask: 0o053 });
  assert.equal(await checkOutput(['stat', '-c', '%a', file], { text: true }), '624\n');
  assert.equal(process.umask(), former);
  await assert.rejects(call(['true'], { user: -1 }), bad);
  await assert.rejects(call(['true'], { group: -1 }), bad);
  await assert.rejects(call(['true'], { processGroup: 1 as never }), bad);
  const ids2 = { user: process.getuid?.() as number, group: process.getgid?.() as number };
  assert.equal(await checkOutput(['id', '-u'], { ...ids2, text: true }), `${ids2.user}\n`);
  if (ids2.user !== 0) return;
  assert.equal(await checkOutput(['id', '-u'], { user: 65_534, text: true }), '65534\n');
});

test('SP-27: signals that Node ignores have their default again in a command', async () => {
  const ignored = await checkOutput('grep SigIgn /proc/$$/status', { shell: true, text: true });
  assert.equal(ignored.trim(), 'SigIgn:\t0000000000000000');
});

test('SP-28: descriptors 0 to 2 may lead to each other in all orders', async () => {
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as const;
  const door = new URL('../../src/subprocess.js', import.meta.url).href;
  const program = `import { call } from ${JSON.stringify(door)};
    const [stdin, stdout, stderr] = JSON.parse(process.argv[1]);
    await call('echo in >&0; echo out; echo err >&2', { shell: true, stdin, stdout, stderr });`;
  for (const order of orders) {
    const paths = [0, 1, 2].map((at) => join(folder, `swap-${at}`));
    const fds = paths.map((path) => openSync(path, 'w+'));
    const [stdin, stdout, stderr] = fds as [number, number, number];
    await call([NODE, '--input-type=module', '--eval', program, JSON.stringify(order)], {
      stdin,
      stdout,
      stderr,
    });
    for (const fd of fds) closeSync(fd);
    const found = paths.map((path) => readFileSync(path, 'utf8'));
    const expected = ['', '', ''];
    for (const [at, name] of ['in\n', 'out\n', 'err\n'].entries()) expected[order[at] as number] = name;
    assert.deepEqual(found, expected, `order ${order}`);
  }
});

test('SP-28: a command starts although this program was started without descriptors 0 to 2', async () => {
  const door = new URL('../../src/subprocess.js', import.meta.url).href;
  const program = `import { runSync, run } from ${JSON.stringify(door)};
    import { writeFileSync } from 'node:fs';
    const done = [await run(['echo', 'a'], { captureOutput: true, text: true }), runSync(['echo', 'b'], { captureOutput: true, text: true })];
    writeFileSync(process.argv[1], done.map(({ stdout }) => stdout).join(''));`;
  const line = '"$0" --input-type=module --eval "$1" "$2" <&- >&- 2>&-';
  assert.equal(await call([line, NODE, program, file], { shell: true }), 0);
  assert.equal(readFileSync(file, 'utf8'), 'a\nb\n');
});

test('SP-30: an interrupt of the whole group ends the command and this program, unlike Python at once', async () => {
  const seconds = uniqueSeconds();
  const door = new URL('../../src/subprocess.js', import.meta.url).href;
  const program = `import { call } from ${JSON.stringify(door)}; await call(['sleep', '${seconds}'], { timeoutMs: 60_000 });`;
  const p = new Popen([NODE, '--input-type=module', '--eval', program], { startNewSession: true });
  await eventually('the command runs', () => running(`sleep ${seconds}`).length === 1);
  process.kill(-p.pid, 'SIGINT');
  assert.equal(await p.wait(), -2);
  await eventually('the command is gone', () => running(`sleep ${seconds}`).length === 0);
});

test('SP-31: getOutput takes off one newline, getStatusOutput has the code too', async () => {
  assert.equal(await getOutput('echo xyzzy'), 'xyzzy');
  assert.equal(await getOutput('echo xyzzy; echo'), 'xyzzy\n');
  for (const line of ['echo xyzzy', 'cat no-such-file-here', 'echo a >&2; kill -9 $$', 'exit 300', ':']) {
    const expected = python('print(json.dumps(subprocess.getstatusoutput(given)))', line);
    assert.deepEqual(await getStatusOutput(line), expected, line);
    assert.deepEqual(getStatusOutputSync(line), expected, line);
  }
});

test('SP-32: a Popen that nobody waits for is reaped', async () => {
  await leavingNothing(() => {
    new Popen(['true']);
    new Popen(['sleep', '60']).kill();
  });
});

test('SP-34: exit code 300 is 44; an empty command, text in binary mode and a second input are mistakes', async () => {
  assert.equal(await call(['sh', '-c', 'exit 300']), 44);
  await assert.rejects(run([]), bad);
  await assert.rejects(run(''), bad);
  await assert.rejects(run(['cat'], { input: 'text' } as object), { ...bad, message: /input/ });
  await assert.rejects(run(['cat'], { input: Buffer.from('bytes'), text: true } as object), bad);
  const p = new Popen(['sleep', '0.1'], { stdin: PIPE });
  await p.communicate(Buffer.from('once'));
  await assert.rejects(p.communicate(Buffer.from('twice')), { code: 'ERR_FURCA_INVALID_STATE' });
  const error = await failure(
    run('printf "h\\303\\251llo \\303"; sleep 60', {
      shell: true,
      captureOutput: true,
      text: true,
      // Long enough for what is printed to be there.
      timeoutMs: 10_000,
    }),
  );
  assert.ok(error instanceof TimeoutExpired);
  // Python has bytes here, although text was asked for; the first half of a character is left out.
  assert.equal(error.output, 'héllo ');
});
