import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { getAllStartMethods } from '../../src/index.js';
import { programFolder, runProgram, writeModule } from '../harness/programs.js';
import { watchTests } from '../harness/watchdog.js';

// Behaviours of CPython's test suite, by their case ids. SM-06 needs queues; SM-11 does not apply: there is no control socket.

watchTests();

async function printed(source: string, options: Parameters<typeof runProgram>[1] = {}): Promise<unknown> {
  const { code, stdout, stderr } = await runProgram(source, options);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

test('SM-02: a process of an explicit context leaves the program’s method unset', async () => {
  const seen = await printed(`
    import { getContext, getStartMethod } from 'furca';
    const child = new (getContext('spawn').Process)({ target: () => process.exit(2) });
    await child.start();
    await child.join();
    console.log(JSON.stringify([child.exitCode, getStartMethod({ allowNone: true })]));
  `);
  assert.deepEqual(seen, [2, null]);
});

test('SM-03: the method is set once; force replaces it; asking fixes the default', async () => {
  const seen = await printed(`
    import { getContext, getStartMethod, setStartMethod } from 'furca';
    const told = [getStartMethod({ allowNone: true })];
    setStartMethod('spawn');
    told.push(getStartMethod());
    try { setStartMethod('forkserver'); } catch (error) { told.push(error.code); }
    setStartMethod('forkserver', { force: true });
    told.push(getStartMethod(), getContext().getStartMethod?.() ?? getStartMethod());
    try { setStartMethod('thread', { force: true }); } catch (error) { told.push(error.code); }
    console.log(JSON.stringify(told));
  `);
  assert.deepEqual(seen, [
    null,
    'spawn',
    'ERR_FURCA_INVALID_STATE',
    'forkserver',
    'forkserver',
    'ERR_FURCA_INVALID_ARGUMENT',
  ]);
});

test('SM-04: all start methods, the default first: forkserver', () => {
  assert.deepEqual(getAllStartMethods(), ['forkserver', 'fork', 'spawn']);
});

test('SM-07: a main module without a guard starts its processes once, and no process starts itself anew', async () => {
  const { code, stdout, stderr } = await runProgram(`
    import { Process } from 'furca';
    console.log('main runs');
    for (const startMethod of ['forkserver', 'spawn']) {
      const child = new Process({ startMethod, target: () => console.log('child runs') });
      await child.start();
      await child.join();
    }
  `);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'main runs\nchild runs\nchild runs\n');
});

test('SM-08: flags of Node reach children and grandchildren, and so does NODE_OPTIONS', async () => {
  const preload = writeModule('globalThis.mark = (globalThis.mark ?? 0) + 1;\n');
  const flag = ['--import', pathToFileURL(preload).href];
  const source = `
    import { Process } from 'furca';
    import { readFileSync } from 'node:fs';
    const tell = async (url, startMethod, depth) => {
      const { Process } = await import(url);
      const { getHeapStatistics } = await import('node:v8');
      console.log(startMethod + ' ' + depth + ' ' + globalThis.mark + ' ' + Math.round(getHeapStatistics().heap_size_limit / 2 ** 20 / 100));
      if (depth === 0) return;
      const child = new Process({ startMethod, target: () => {} });
      await child.start();
      await child.join();
    };
    for (const startMethod of ['forkserver', 'spawn']) {
      const child = new Process({ startMethod, target: tell, args: ['furca', startMethod, 1] });
      await child.start();
      await child.join();
      if (child.exitCode !== 0) process.exit(1);
    }
    await tell('furca', 'main', 0);
  `;
  for (const options of [
    { flags: [...flag, '--max-old-space-size=300'] },
    { env: { NODE_OPTIONS: `${flag.join('=')} --max-old-space-size=300` } },
  ]) {
    const { code, stdout, stderr } = await runProgram(source, options);
    assert.equal(code, 0, stderr);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    assert.deepEqual(
      lines.map(([method]) => method),
      ['forkserver', 'spawn', 'main'],
    );
    assert.equal(new Set(lines.map(([, , mark, limit]) => `${mark} ${limit}`)).size, 1, stdout);
  }
});

test('SM-10: after SIGINT or SIGKILL of the forkserver the next start works', async () => {
  const seen = await printed(`
    import { readdirSync, readFileSync } from 'node:fs';
    import { Process } from 'furca';
    const zygote = () => readdirSync('/proc').filter((pid) => /^\\d+$/.test(pid)).find((pid) => {
      try {
        return readFileSync('/proc/' + pid + '/stat', 'utf8').split(') ')[1].split(' ')[1] === String(process.pid) &&
          readFileSync('/proc/' + pid + '/cmdline', 'utf8').includes('entry/zygote.js');
      } catch { return false; }
    });
    const run = async (during) => {
      const child = new Process({ target: async () => { await new Promise((resolve) => setTimeout(resolve, 150)); } });
      await child.start();
      during?.();
      await child.join();
      return child.exitCode;
    };
    const codes = [await run()];
    for (const signal of ['SIGINT', 'SIGKILL']) codes.push(await run(() => process.kill(Number(zygote()), signal)), await run());
    console.log(JSON.stringify(codes));
  `);
  const codes = seen as number[];
  assert.ok(
    codes.every((code) => code === 0 || code === 255),
    String(codes),
  );
  assert.deepEqual([codes[0], codes[2], codes[4]], [0, 0, 0]);
});

test('SM-12: preloaded modules are loaded once, before the children; what they print appears once', async () => {
  const module = writeModule(
    `globalThis.loadedBy = process.pid;\nconsole.log('loaded once');\n`,
    'preloaded.mjs',
  );
  const { code, stdout, stderr } = await runProgram(
    `
    import { Process, setForkserverPreload } from 'furca';
    setForkserverPreload(['./preloaded.mjs']);
    const target = async () => { if (globalThis.loadedBy === undefined || globalThis.loadedBy === process.pid) process.exit(4); };
    const children = Array.from({ length: 3 }, () => new Process({ target }));
    for (const child of children) await child.start();
    for (const child of children) await child.join();
    console.log(JSON.stringify(children.map(({ exitCode }) => exitCode)));
  `,
    { cwd: join(module, '..') },
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'loaded once\n[0,0,0]\n');
});

test('SM-12: an argv of 5,000 entries reaches the child whole', async () => {
  const args = Array.from({ length: 5000 }, (_, at) => `argument-${at}`);
  const source = `
    import { Process } from 'furca';
    const codes = [];
    for (const startMethod of ['forkserver', 'spawn']) {
      const child = new Process({ startMethod, target: (last) => process.exit(process.argv.length === 5002 && process.argv.at(-1) === last ? 0 : 1), args: [process.argv.at(-1)] });
      await child.start();
      await child.join();
      codes.push(child.exitCode);
    }
    console.log(JSON.stringify(codes));
  `;
  assert.deepEqual(await printed(source, { args }), [0, 0]);
});

test('SM-12: relative imports of a function that travels by value are meant from where it was written', async () => {
  mkdirSync(join(programFolder(), 'deep'), { recursive: true });
  writeModule('export const answer = 42;\n', 'deep/neighbour.mjs');
  const path = writeModule(
    `
    import { Process } from 'furca';
    process.chdir('/');
    const child = new Process({ target: async () => { process.exit((await import('./neighbour.mjs')).answer); } });
    await child.start();
    await child.join();
    console.log(JSON.stringify(child.exitCode));
  `,
    'deep/main.mjs',
  );
  assert.equal(await printed(path), 42);
});
