import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { Process } from '../../src/index.js';
import { outcome } from '../harness/outcome.js';
import { processEntry } from '../harness/proc.js';
import { eventually } from '../harness/watchdog.js';
import { caseList, type ProcessCase } from './process-case.js';

const list = caseList();
const { it } = list;

export const cases: readonly ProcessCase[] = list.cases;

it('A target that returns ends its process with exit code 0, whatever it returns', async (method) => {
  assert.equal((await outcome(method, () => 17, [])).exitCode, 0);
});

it('An async target ends its process when its promise settles, not when the event loop runs dry', async (method) => {
  const { exitCode, stdout } = await outcome(method, async () => {
    setInterval(() => {}, 1000);
    await new Promise((resolve) => setTimeout(resolve, 5));
    console.log('done');
  }, []);
  assert.deepEqual({ exitCode, stdout }, { exitCode: 0, stdout: 'done\n' });
});

it('A target that throws ends its process with exit code 1, stack, properties and cause on stderr', async (method) => {
  const { exitCode, stderr } = await outcome(
    method,
    function explode() {
      const cause = new TypeError('the root');
      throw Object.assign(new RangeError('out of bounds', { cause }), { index: 42, code: 'E_BOUNDS' });
    },
    [],
    { name: 'Exploder' },
  );
  assert.equal(exitCode, 1);
  for (const part of [
    /Exploder/,
    /RangeError.*out of bounds/,
    /at explode/,
    /index: 42/,
    /E_BOUNDS/,
    /TypeError: the root/,
  ]) {
    assert.match(stderr, part);
  }
});

it('A rejected promise ends its process with exit code 1 and the reason on stderr', async (method) => {
  const { exitCode, stderr } = await outcome(method, async () => {
    await Promise.resolve();
    throw { plain: 'object', list: [1, 2] };
  }, []);
  assert.equal(exitCode, 1);
  assert.match(stderr, /plain: 'object', list: \[ 1, 2 \]/);
});

it('An error thrown in a callback ends its process with exit code 1 and the error on stderr', async (method) => {
  const { exitCode, stderr } = await outcome(
    method,
    () =>
      new Promise(() => {
        setTimeout(() => {
          throw new Error('from a timer');
        }, 1);
      }),
    [],
  );
  assert.equal(exitCode, 1);
  assert.match(stderr, /from a timer/);
});

it('An unhandled rejection beside a running target ends its process with exit code 1', async (method) => {
  const { exitCode, stderr } = await outcome(
    method,
    () =>
      new Promise(() => {
        void Promise.reject(new Error('nobody cares'));
      }),
    [],
  );
  assert.equal(exitCode, 1);
  assert.match(stderr, /nobody cares/);
});

it('process.exit(8) in a child gives exit code 8, and exit listeners run', async (method) => {
  const { exitCode, stdout } = await outcome(method, () => {
    process.on('exit', (code) => console.log(`bye ${code}`));
    process.exit(8);
  }, []);
  assert.deepEqual({ exitCode, stdout }, { exitCode: 8, stdout: 'bye 8\n' });
});

it('process.exitCode in a child is its exit code, modulo 256 as for every process', async (method) => {
  const set = (code: number): void => {
    process.exitCode = code;
  };
  assert.equal((await outcome(method, set, [9])).exitCode, 9);
  assert.equal((await outcome(method, set, [256])).exitCode, 0);
  assert.equal((await outcome(method, set, [-1])).exitCode, 255);
});

it('A child that kills itself by a signal has the negative number of the signal as its exit code', async (method) => {
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    process.kill(process.pid, signal);
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  };
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGALRM', 'SIGHUP'] as const) {
    assert.equal((await outcome(method, kill, [signal])).exitCode, -constants.signals[signal], signal);
  }
});

it('process.abort() in a child gives exit code -6', async (method) => {
  const { exitCode } = await outcome(method, () => process.abort(), []);
  assert.equal(exitCode, -6);
});

it('A target whose promise can never settle ends its process with exit code 13', async (method) => {
  const { exitCode, stderr } = await outcome(method, () => new Promise(() => {}), []);
  assert.equal(exitCode, 13);
  assert.match(stderr, /never settle|unsettled/i);
});

it('terminate, kill and interrupt end a child with -15, -9 and -2', async (method) => {
  for (const [how, exitCode] of [
    ['terminate', -15],
    ['kill', -9],
    ['interrupt', -2],
  ] as const) {
    const child = new Process({
      startMethod: method,
      target: () => new Promise((resolve) => setTimeout(resolve, 60_000)),
    });
    await child.start();
    child[how]();
    await child.join();
    assert.deepEqual([child.exitCode, child.isAlive()], [exitCode, false], how);
    child[how]();
    child.close();
  }
});

it('A child can handle SIGTERM and SIGINT, and terminate() and interrupt() run its handlers', async (method) => {
  for (const [how, signal] of [
    ['terminate', 'SIGTERM'],
    ['interrupt', 'SIGINT'],
  ] as const) {
    const child = new Process({
      startMethod: method,
      stdio: ['ignore', 'pipe', 'inherit'],
      target: async (name: NodeJS.Signals) => {
        const caught = new Promise((resolve) => process.once(name, resolve));
        console.log('listening');
        setTimeout(() => {}, 60_000);
        await caught;
        process.exitCode = 7;
      },
      args: [signal],
    });
    await child.start();
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child[how]();
    await child.join();
    assert.equal(child.exitCode, 7, how);
    child.close();
  }
});

it('A child that blocks in an endless loop is ended by kill() and by terminate()', async (method) => {
  for (const [how, exitCode] of [
    ['kill', -9],
    ['terminate', -15],
  ] as const) {
    const child = new Process({
      startMethod: method,
      stdio: ['ignore', 'pipe', 'inherit'],
      target: async () => {
        const { writeSync } = await import('node:fs');
        writeSync(1, 'x');
        for (;;);
      },
    });
    await child.start();
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child[how]();
    await child.join();
    assert.equal(child.exitCode, exitCode, how);
    child.close();
  }
});

it('A stopped child is alive; kill() ends it', async (method) => {
  const child = new Process({
    startMethod: method,
    target: () => new Promise((resolve) => setTimeout(resolve, 60_000)),
  });
  await child.start();
  const pid = child.pid as number;
  process.kill(pid, 'SIGSTOP');
  await eventually('the child is stopped', () => processEntry(pid)?.state === 'T');
  await assert.rejects(child.join({ timeoutMs: 5 }), { code: 'ERR_FURCA_TIMEOUT' });
  assert.equal(child.isAlive(), true);
  child.kill();
  await child.join();
  assert.equal(child.exitCode, -9);
  child.close();
});

it('An ended child is no zombie once join() has returned', async (method) => {
  const child = new Process({ startMethod: method, target: () => {} });
  await child.start();
  const pid = child.pid as number;
  await child.join();
  await eventually('its pid is gone', () => processEntry(pid) === undefined);
  child.close();
});

it('A child that runs beforeExit listeners may go on because of them', async (method) => {
  const { exitCode, stdout } = await outcome(
    method,
    () =>
      new Promise<void>((resolve) => {
        process.once('beforeExit', () => {
          console.log('before');
          setTimeout(resolve, 1);
        });
      }),
    [],
  );
  assert.deepEqual({ exitCode, stdout }, { exitCode: 0, stdout: 'before\n' });
});

it('A child that writes much and ends at once loses none of it', async (method) => {
  const { exitCode, stdout } = await outcome(method, () => {
    for (let i = 0; i < 2000; i++) console.log('x'.repeat(99));
  }, []);
  assert.deepEqual([exitCode, stdout.length], [0, 200_000]);
});
