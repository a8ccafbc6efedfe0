import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FORK_READY, programFolder, type RunningProgram, startProgram } from '../harness/programs.js';
import { processEntry } from '../harness/proc.js';
import { eventually, watchTests } from '../harness/watchdog.js';

watchTests(60_000);

/** What `fork()` waits for another thread with; the event loop sleeps in epoll. */
const POLL = process.arch === 'x64' ? '7' : '73';

/** Forks while another thread is busy, until the file `path` is there. */
function forking(path: string): RunningProgram {
  return startProgram(
    `
    import { existsSync, writeSync } from 'node:fs';
    import { Worker } from 'node:worker_threads';
    import { _exit, fork, waitpid } from 'furca/os';
    const busy = new Worker(\`
      const { existsSync } = require('node:fs');
      require('node:worker_threads').parentPort.postMessage('busy');
      while (!existsSync(process.argv[2]));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    \`, { eval: true, argv: [process.argv[2]] });
    await new Promise((resolve) => busy.once('message', resolve));
    let outcome;
    try {
      const pid = fork();
      if (pid === 0) _exit(3);
      outcome = (await waitpid(pid)).exitCode;
    } catch (error) {
      outcome = error.code;
    }
    writeSync(1, String(outcome));
    process.exit(0);
    `,
    { flags: FORK_READY, args: [path] },
  );
}

test('fork() is refused with ERR_FURCA_LOOP_BUSY while another thread does not come to rest', async () => {
  const { code, stdout, stderr } = await forking(join(programFolder(), 'never')).result;
  assert.deepEqual([code, stdout], [0, 'ERR_FURCA_LOOP_BUSY'], stderr);
});

test('fork() that was stopped while it waited for another thread gives that some more time', async () => {
  const path = join(programFolder(), 'enough');
  const program = forking(path);
  const { pid } = program;
  await eventually(
    'fork() waits for the thread',
    () => readFileSync(`/proc/${pid}/syscall`, 'utf8').startsWith(`${POLL} `),
    60_000,
  );
  process.kill(pid, 'SIGSTOP');
  await eventually('the program is stopped', () => processEntry(pid)?.state === 'T');
  // Longer than fork() waits.
  await sleep(2500);
  writeFileSync(path, '');
  process.kill(pid, 'SIGCONT');
  const { code, stdout, stderr } = await program.result;
  assert.deepEqual([code, stdout], [0, '3'], stderr);
});
