import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Process } from '../../src/index.js';
import { answer } from '../harness/outcome.js';
import { caseList, type ProcessCase } from './process-case.js';

const list = caseList();
const { it } = list;

export const cases: readonly ProcessCase[] = list.cases;

it('A child reads what the parent writes to its input and the parent reads its output and error output', async (method) => {
  const child = new Process({
    startMethod: method,
    stdio: ['pipe', 'pipe', 'pipe'],
    target: async () => {
      let given = '';
      for await (const chunk of process.stdin.setEncoding('utf8')) given += chunk;
      console.log(given.toUpperCase());
      console.error(given.length);
    },
  });
  await child.start();
  assert.ok(child.stdin !== null && child.stdout !== null && child.stderr !== null);
  child.stdin.end('hello, child');
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr), child.join()]);
  assert.deepEqual([out, error, child.exitCode], ['HELLO, CHILD\n', '12\n', 0]);
  child.close();
});

it('A megabyte goes through a child by its pipes unharmed', async (method) => {
  const child = new Process({
    startMethod: method,
    stdio: ['pipe', 'pipe', 'inherit'],
    target: async () => {
      const { pipeline } = await import('node:stream/promises');
      await pipeline(process.stdin, process.stdout);
    },
  });
  await child.start();
  assert.ok(child.stdin !== null && child.stdout !== null);
  const sent = 'abcdefghijklmnopqrstuvwxyz'.repeat(40_000);
  child.stdin.end(sent);
  const [received] = await Promise.all([text(child.stdout), child.join()]);
  assert.equal(received === sent, true);
  child.close();
});

it('Input is empty by default: a child that reads it sees the end at once', async (method) => {
  const seen = await answer(method, async () => {
    const { text } = await import('node:stream/consumers');
    console.log(JSON.stringify(await text(process.stdin)));
  }, []);
  assert.equal(seen, '');
});

it('A child writes to a file whose descriptor the parent has open', async (method) => {
  const folder = mkdtempSync(join(tmpdir(), 'furca-stdio-'));
  const path = join(folder, 'out.txt');
  const fd = openSync(path, 'a');
  const child = new Process({
    startMethod: method,
    stdio: ['ignore', fd, fd],
    target: () => {
      console.log('to the file');
      console.error('and this');
    },
  });
  await child.start();
  await child.join();
  closeSync(fd);
  const written = readFileSync(path, 'utf8');
  rmSync(folder, { recursive: true });
  child.close();
  assert.equal(written, 'to the file\nand this\n');
});

it('Output that is ignored goes nowhere and harms nobody', async (method) => {
  const child = new Process({
    startMethod: method,
    stdio: ['ignore', 'ignore', 'ignore'],
    target: () => {
      console.log('x'.repeat(100_000));
      console.error('y'.repeat(100_000));
    },
  });
  await child.start();
  await child.join();
  assert.equal(child.exitCode, 0);
  child.close();
});

it('A child runs in the parent’s working directory, or in the one given', async (method) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'furca-cwd-')));
  const tell = (): void => console.log(JSON.stringify([process.cwd(), process.env['PWD'] !== undefined]));
  const [own] = (await answer(method, tell, [])) as [string];
  const [given] = (await answer(method, tell, [], { cwd: folder })) as [string];
  rmSync(folder, { recursive: true });
  assert.deepEqual([own, given], [process.cwd(), folder]);
});

it('A child follows a working directory that the parent has changed since', async (method) => {
  const former = process.cwd();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'furca-chdir-')));
  process.chdir(folder);
  try {
    assert.equal(await answer(method, () => console.log(JSON.stringify(process.cwd())), []), folder);
  } finally {
    process.chdir(former);
    rmSync(folder, { recursive: true });
  }
});

it('A child has the parent’s environment as it is at the start, or the one given and no other', async (method) => {
  process.env['FURCA_TEST_NOW'] = 'changed';
  delete process.env['FURCA_TEST_GONE'];
  try {
    const tell = (): void => {
      const { FURCA_TEST_NOW: now, FURCA_TEST_GONE: gone, PATH: path } = process.env;
      console.log(JSON.stringify([now, gone ?? null, path !== undefined]));
    };
    assert.deepEqual(await answer(method, tell, []), ['changed', null, true]);
    delete process.env['FURCA_TEST_NOW'];
    process.env['FURCA_TEST_GONE'] = 'back';
    assert.deepEqual(await answer(method, tell, []), [null, 'back', true]);
    const whole = (): void => console.log(JSON.stringify(process.env));
    assert.deepEqual(await answer(method, whole, [], { env: { ONLY: 'this', NOT: undefined } }), {
      ONLY: 'this',
    });
  } finally {
    delete process.env['FURCA_TEST_NOW'];
    delete process.env['FURCA_TEST_GONE'];
  }
});

it('A child has its parent’s arguments', async (method) => {
  const own = [...process.argv];
  process.argv.push('--extra', 'väl ue');
  try {
    const seen = await answer(method, () => console.log(JSON.stringify(process.argv)), []);
    assert.deepEqual(seen, process.argv);
  } finally {
    process.argv.splice(own.length);
  }
});

it('A given environment reaches what the child itself starts', async (method) => {
  const seen = await answer(
    method,
    async () => {
      const { execFileSync } = await import('node:child_process');
      console.log(JSON.stringify(execFileSync('/bin/sh', ['-c', 'echo $MARK'], { encoding: 'utf8' })));
    },
    [],
    { env: { MARK: 'here' } },
  );
  assert.equal(seen, 'here\n');
});
