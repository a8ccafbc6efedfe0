import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runProgram, writeModule } from '../harness/programs.js';
import { watchTests } from '../harness/watchdog.js';

watchTests();

/** Modules that do to the zygote what no module should do to it; each exports `work`, which answers 42. */
const NASTY: readonly (readonly [what: string, source: string])[] = [
  [
    'starts a worker thread',
    `import { Worker } from 'node:worker_threads'; new Worker('setInterval(() => {}, 1000)', { eval: true }).unref();`,
  ],
  ['opens a server', `import { createServer } from 'node:net'; createServer().listen(0).unref();`],
  ['sets an interval', `setInterval(() => {}, 10);`],
  ['sets a timer that is unreferenced', `setInterval(() => { console.log('stray'); }, 5).unref();`],
  ['watches a file', `import { watch } from 'node:fs'; watch('.').unref();`],
  ['draws random values', `import { nanoid } from 'nanoid'; export const first = nanoid();`],
  ['listens to signals', `process.on('SIGTERM', () => {});`],
  ['writes to stdout', `console.log('loading');`],
];

for (const [what, source] of NASTY) {
  test(`A module that ${what} while it is preloaded works in its child and harms no later one`, async () => {
    const url = pathToFileURL(writeModule(`${source}\nexport const work = () => process.exit(42);\n`)).href;
    const { code, stdout, stderr } = await runProgram(`
      import { functionIn, Process } from 'furca';
      const run = async (target) => {
        const child = new Process({ target, stdio: ['ignore', 'ignore', 'inherit'] });
        await child.start();
        await child.join();
        return child.exitCode;
      };
      const codes = [await run(functionIn(${JSON.stringify(url)}, 'work')), await run(() => process.exit(1)), await run(functionIn(${JSON.stringify(url)}, 'work'))];
      const late = [];
      for (let i = 0; i < 5; i++) late.push(await run(() => {}));
      console.log('codes ' + JSON.stringify([codes, late]));
    `);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^codes \[\[42,1,42\],\[0,0,0,0,0\]\]$/m, stderr);
  });
}

for (const [what, source, exitCode] of [
  ['throws', `throw new RangeError('thrown while loading');`, 1],
  ['ends its process', `process.exit(5);`, 5],
  ['kills its process', `process.kill(process.pid, 'SIGKILL');`, -9],
  ['does not parse', `this is no JavaScript`, 1],
] as const) {
  test(`A module that ${what} while it is preloaded ends its own child alone`, async () => {
    const url = pathToFileURL(writeModule(`${source}\nexport const work = () => {};\n`)).href;
    const { code, stdout, stderr } = await runProgram(`
      import { functionIn, Process } from 'furca';
      const run = async (target) => {
        const child = new Process({ target });
        await child.start();
        await child.join();
        return child.exitCode;
      };
      const task = functionIn(${JSON.stringify(url)}, 'work');
      console.log(JSON.stringify([await run(task), await run(() => process.exit(1)), ...await Promise.all([run(task), run(() => process.exit(2)), run(() => {})])]));
    `);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), [exitCode, 1, exitCode, 2, 0], stderr);
    if (what === 'throws') assert.match(stderr, /thrown while loading/);
  });
}

test('A module whose top-level await never settles ends its own child alone, with exit code 13', async () => {
  const url = pathToFileURL(
    writeModule(`await new Promise(() => {});\nexport const work = () => {};\n`),
  ).href;
  const { code, stdout, stderr } = await runProgram(`
    import { functionIn, Process } from 'furca';
    const task = functionIn(${JSON.stringify(url)}, 'work');
    const stuck = new Process({ target: task });
    const other = new Process({ target: () => process.exit(3) });
    await Promise.all([stuck.start(), other.start()]);
    await Promise.all([stuck.join(), other.join()]);
    console.log(JSON.stringify([stuck.exitCode, other.exitCode]));
  `);
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), [13, 3]);
});

test('A module that starts a process while it loads in a child gets ERR_FURCA_BOOTSTRAPPING, and no more processes come of it', async () => {
  const path = writeModule(`
    import { Process } from 'furca';
    const child = new Process({ target: () => {} });
    await child.start();
    await child.join();
    export const work = () => {};
  `);
  const { code, stdout, stderr } = await runProgram(`
    import { functionIn, Process } from 'furca';
    for (const startMethod of ['forkserver', 'spawn']) {
      const child = new Process({ startMethod, target: functionIn(${JSON.stringify(pathToFileURL(path).href)}, 'work') });
      await child.start();
      await child.join();
      console.log(child.exitCode);
    }
  `);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, '1\n1\n');
  assert.equal(stderr.match(/ERR_FURCA_BOOTSTRAPPING/g)?.length, 2, stderr);
});

test('Under a loader with a thread of its own a process starts all the same', async () => {
  const hooks = writeModule(`
    export async function load(url, context, nextLoad) { return nextLoad(url, context); }
  `);
  const register = writeModule(
    `import { register } from 'node:module';\nregister(${JSON.stringify(pathToFileURL(hooks).href)});\n`,
  );
  const { code, stdout, stderr } = await runProgram(
    `
    import { Process } from 'furca';
    const children = Array.from({ length: 3 }, () => new Process({ target: () => process.exit(4) }));
    for (const child of children) await child.start();
    for (const child of children) await child.join();
    console.log(JSON.stringify(children.map(({ exitCode }) => exitCode)));
  `,
    { flags: ['--no-warnings', '--import', pathToFileURL(register).href] },
  );
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), [4, 4, 4]);
});
