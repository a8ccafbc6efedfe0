import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { FORK_READY, runProgram, writeModule } from '../harness/programs.js';
import { watchTests } from '../harness/watchdog.js';

watchTests();

test('fork in a process that is not fork-ready is refused with ERR_FURCA_NOT_FORK_READY, saying three ways out', async () => {
  const { code, stdout, stderr } = await runProgram(`
    import { Process, activeChildren } from 'furca';
    import { fork, isForkReady } from 'furca/os';
    const told = [];
    await new Process({ startMethod: 'fork', target: () => {} }).start().catch((error) => told.push(error.code, error.message));
    try { fork(); } catch (error) { told.push(error.code); }
    console.log(JSON.stringify([isForkReady(), activeChildren().length, ...told]));
  `);
  assert.equal(code, 0, stderr);
  const [isReady, children, first, message, second] = JSON.parse(stdout) as [
    boolean,
    number,
    string,
    string,
    string,
  ];
  assert.deepEqual(
    [isReady, children, first, second],
    [false, 0, 'ERR_FURCA_NOT_FORK_READY', 'ERR_FURCA_NOT_FORK_READY'],
  );
  for (const way of ['furca run', '--single-threaded --v8-pool-size=1', "import 'furca/fork-ready'"]) {
    assert.ok(message.includes(way), message);
  }
});

for (const [name, open, close] of [
  ['Server', `const it = createServer().listen(0); await once(it, 'listening');`, 'it.close();'],
  ['Timeout', 'const it = setTimeout(() => {}, 600_000);', 'clearTimeout(it);'],
  [
    'Socket',
    `const server = createServer(); server.listen(0); await once(server, 'listening'); server.unref();
     const it = connect(server.address().port);
     const [[peer]] = await Promise.all([once(server, 'connection'), once(it, 'connect')]);`,
    'it.destroy(); peer.destroy(); server.close();',
  ],
] as const) {
  test(`fork beside an open ${name} is refused with ERR_FURCA_LOOP_BUSY that names it, and works once it is closed`, async () => {
    const { code, stdout, stderr } = await runProgram(
      `
      import { connect, createServer } from 'node:net';
      import { once } from 'node:events';
      import { Process, activeChildren } from 'furca';
      ${open}
      const refused = new Process({ startMethod: 'fork', target: () => {} });
      const error = await refused.start().catch((reason) => reason);
      const alive = activeChildren().length;
      ${close}
      const next = new Process({ startMethod: 'fork', target: () => process.exit(3) });
      await new Promise((resolve) => setImmediate(resolve));
      await next.start();
      await next.join();
      console.log(JSON.stringify([error?.code, error?.message, alive, next.exitCode]));
      process.exit(0);
    `,
      { flags: FORK_READY },
    );
    assert.equal(code, 0, stderr);
    const [refusal, message, alive, exitCode] = JSON.parse(stdout) as [string, string, number, number];
    assert.deepEqual([refusal, alive, exitCode], ['ERR_FURCA_LOOP_BUSY', 0, 3]);
    assert.ok(message.includes(name), message);
  });
}

test('A server that is listed in `inherit` is served by the forked child', async () => {
  const { code, stdout, stderr } = await runProgram(
    `
    import { createServer } from 'node:net';
    import { connect } from 'node:net';
    import { once } from 'node:events';
    import { text } from 'node:stream/consumers';
    import { Process } from 'furca';
    const server = createServer((socket) => socket.end(String(process.pid)));
    server.listen(0);
    await once(server, 'listening');
    const { port } = server.address();
    const child = new Process({ startMethod: 'fork', inherit: [server], target: () => new Promise((resolve) => setTimeout(resolve, 600_000)) });
    await child.start();
    server.close();
    const answer = await text(connect(port, '127.0.0.1'));
    child.kill();
    await child.join();
    console.log(Number(answer) === child.pid, Number(answer) !== process.pid);
  `,
    { flags: FORK_READY },
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'true true\n');
});

test('What the parent has under way does not go on in a child started by fork', async () => {
  const { code, stdout, stderr } = await runProgram(
    `
    import { Process } from 'furca';
    import { writeSync } from 'node:fs';
    const main = process.pid;
    const tell = (what) => { if (process.pid !== main) writeSync(1, what + ' in the child\\n'); };
    process.on('exit', () => { if (process.pid === main) writeSync(1, 'main ends\\n'); });
    const child = new Process({ startMethod: 'fork', target: async () => { await new Promise((resolve) => setTimeout(resolve, 50)); } });
    const chain = (async () => { for (let i = 0; i < 200; i++) { await null; tell('microtask'); } })();
    setImmediate(() => tell('immediate'));
    process.nextTick(() => tell('tick'));
    const started = child.start().then(() => tell('continuation'));
    queueMicrotask(() => tell('microtask'));
    setImmediate(() => setImmediate(() => tell('second immediate')));
    await started;
    await chain;
    await child.join();
    writeSync(1, 'exit code ' + child.exitCode + '\\n');
  `,
    { flags: FORK_READY },
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'exit code 0\nmain ends\n');
});

const DISGUISES: Readonly<Record<string, readonly [disguise: string, named: RegExp]>> = {
  'a system that is not Linux': [
    `Object.defineProperty(process, 'platform', { value: 'darwin' });`,
    /darwin/,
  ],
  Electron: [
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, electron: '40.0.0' } });`,
    /Electron/,
  ],
  Bun: [
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, bun: '1.3.0' } });`,
    /Bun/,
  ],
  Deno: [
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, deno: '2.5.0' } });`,
    /Deno/,
  ],
  'a single-executable program': [
    `const builtin = process.getBuiltinModule;
     process.getBuiltinModule = (name) => name === 'node:sea' ? { isSea: () => true } : builtin(name);`,
    /single-executable/,
  ],
};

for (const [what, [disguise, named]] of Object.entries(DISGUISES)) {
  test(`Under ${what} importing works, and every first use fails with one clear error`, async () => {
    const { code, stdout, stderr } = await runProgram(
      `
      import { Pool, Process } from 'furca';
      import { fork } from 'furca/os';
      import { Popen, run, runSync } from 'furca/subprocess';
      const uses = [
        () => new Process({ target: () => {} }).start(),
        () => new Process({ target: () => {}, startMethod: 'spawn' }).start(),
        () => new Pool(1),
        () => fork(),
        () => new Popen(['true']),
        () => run(['true']),
        () => runSync(['true']),
      ];
      const told = [];
      for (const use of uses) {
        try { await use(); told.push(['nothing', '']); } catch (error) { told.push([error.code, error.message]); }
      }
      console.log(JSON.stringify(told));
    `,
      { flags: ['--import', pathToFileURL(writeModule(disguise)).href] },
    );
    assert.equal(code, 0, stderr);
    const told = JSON.parse(stdout) as [string, string][];
    assert.equal(told.length, 7);
    for (const [toldCode, message] of told) {
      assert.equal(toldCode, 'ERR_FURCA_UNSUPPORTED_RUNTIME');
      assert.match(message, named);
      assert.match(message, /It runs under Node\.js 20\.19 or later on Linux/);
    }
  });
}
