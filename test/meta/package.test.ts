import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { type BuildOptions, build } from 'esbuild';
import { globSync } from 'tinyglobby';
import { root } from './sources.js';

const folder = mkdtempSync(join(tmpdir(), 'furca-package-'));
after(() => rmSync(folder, { recursive: true }));

const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  readonly bin: Record<string, string>;
  readonly dependencies: Record<string, string>;
  readonly exports: Record<string, string | Record<string, string>>;
};

function run(command: string, args: readonly string[], cwd: string): SpawnSyncReturns<string> {
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  };
  return spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 120_000, killSignal: 'SIGKILL', env });
}

function must(done: SpawnSyncReturns<string>): string {
  assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}\n${done.error ?? ''}`);
  return done.stdout;
}

/** Packs the package once and installs it in an empty folder, its dependencies linked to those of this checkout. */
function install(): string {
  const home = join(folder, 'home');
  if (existsSync(home)) return home;
  assert.ok(existsSync(`${root}dist/lib/index.js`), 'dist/lib is missing: run `npm run build` first.');
  const packed = must(run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], root)).trim();
  const modules = join(home, 'node_modules');
  mkdirSync(join(modules, 'furca'), { recursive: true });
  must(
    run(
      'tar',
      [
        'xzf',
        join(folder, packed.split('\n').at(-1) as string),
        '-C',
        join(modules, 'furca'),
        '--strip-components=1',
      ],
      folder,
    ),
  );
  for (const name of [...Object.keys(manifest.dependencies), '@types/node', 'undici-types']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }\n');
  return home;
}

test('the package holds what its doors, types and command need, and neither sources, tests nor maps of others', {
  timeout: 500_000,
}, () => {
  const home = install();
  const files = globSync(['**/*'], { cwd: join(home, 'node_modules/furca'), dot: true }).sort();
  const needed = [
    ...Object.values(manifest.bin),
    ...Object.values(manifest.exports).flatMap((door) =>
      typeof door === 'string' ? [door] : Object.values(door),
    ),
    'README.md',
    'LICENSE',
  ].map((path) => path.replace(/^\.\//, ''));
  assert.deepEqual(
    needed.filter((path) => !files.includes(path)),
    [],
  );
  const strange = files.filter(
    (path) =>
      !/^(package\.json|README(\.zh-CN)?\.md|LICENSE|dist\/(lib|src)\/.+\.(js|d\.ts|js\.map|d\.ts\.map))$/.test(
        path,
      ),
  );
  assert.deepEqual(strange, []);
});

test('the installed package runs a pool and processes from JavaScript', { timeout: 500_000 }, () => {
  const home = install();
  writeFileSync(
    join(home, 'program.js'),
    `import { Pool, Process, cpuCount } from 'furca';
     import { isForkReady } from 'furca/os';
     const pool = new Pool(2);
     const squares = await pool.map((x) => x * x, [1, 2, 3]);
     await pool.close();
     const spawning = new Pool(1, { startMethod: 'spawn' });
     const sum = await spawning.apply((a, b) => a + b, [1, 2]);
     await spawning.close();
     const p = new Process({ target: () => process.exit(7) });
     await p.start();
     await p.join();
     console.log(JSON.stringify([squares, sum, p.exitCode, cpuCount() >= 1, isForkReady()]));`,
  );
  assert.equal(must(run(process.execPath, ['program.js'], home)), '[[1,4,9],3,7,true,false]\n');
});

test('the installed package is fork-ready by its door, and by its command', { timeout: 500_000 }, () => {
  const home = install();
  const program = `import { Pool } from 'furca';
    const pool = new Pool(1, { startMethod: 'fork' });
    const answer = await pool.apply((x) => x * 2, [21]);
    await pool.close();
    process.stdout.write(answer + '\\n');`;
  writeFileSync(join(home, 'ready.js'), `import 'furca/fork-ready';\n${program}`);
  assert.equal(must(run(process.execPath, ['ready.js'], home)), '42\n');
  writeFileSync(join(home, 'plain.js'), program);
  const command = join(home, 'node_modules/furca', manifest.bin['furca'] as string);
  assert.equal(must(run(process.execPath, [command, 'run', 'plain.js'], home)), '42\n');
});

test('the command of the installed package maps a module over its arguments', { timeout: 500_000 }, () => {
  const home = install();
  writeFileSync(join(home, 'length.js'), 'export default (text) => text.length;\n');
  const command = join(home, 'node_modules/furca', manifest.bin['furca'] as string);
  const lines = must(run(process.execPath, [command, 'map', 'length.js', 'a', 'bcd', '--jobs', '1'], home));
  assert.equal(lines.trim().split('\n').length, 2);
});

test('without bullmq the door of clusters can be imported, and a call says what to install', {
  timeout: 500_000,
}, () => {
  const home = install();
  writeFileSync(
    join(home, 'cluster.js'),
    `import { ClusterPool } from 'furca/cluster';
     const pool = new ClusterPool({ connection: 'redis://127.0.0.1:1', queue: 'q', app: import.meta.dirname ?? '.' });
     export function task() {}
     try {
       await pool.warmUp();
     } catch (error) {
       console.log(error.code, error.message.includes('npm install bullmq ioredis'));
     }
     await pool.close();`,
  );
  assert.equal(must(run(process.execPath, ['cluster.js'], home)), 'ERR_FURCA_MISSING_PACKAGE true\n');
});

test('the installed package has exact types for a strict program of nodenext', { timeout: 500_000 }, () => {
  const home = install();
  writeFileSync(
    join(home, 'program.ts'),
    `import { FurcaError, Pool, Process, type PoolStats } from 'furca';
     import { fork, waitpid } from 'furca/os';
     import { run } from 'furca/subprocess';
     import 'furca/fork-ready';
     const output: string = (await run(['ls'], { captureOutput: true, text: true })).stdout;
     await using pool = new Pool(2);
     const lengths: number[] = await pool.map((text: string) => text.length, ['a', 'bc']);
     const stats: PoolStats = pool.stats();
     const p = new Process({ target: (name: string) => console.log(name), args: ['kel'] });
     // @ts-expect-error - an item of the wrong type
     void pool.map((text: string) => text.length, [1]);
     export { FurcaError, fork, lengths, output, p, stats, waitpid };`,
  );
  const options = ['--strict', '--target', 'es2023', '--lib', 'es2023,esnext.disposable', '--types', 'node'];
  // Types of a CommonJS program, which gets furca by require().
  writeFileSync(
    join(home, 'common.cts'),
    `import furca = require('furca');
     const pool = new furca.Pool(2);
     const squares: Promise<number[]> = pool.map((x: number) => x * x, [1, 2]);
     export = squares;`,
  );
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  for (const [kind, files] of Object.entries({
    nodenext: ['--module', 'nodenext', 'program.ts', 'common.cts'],
    bundler: ['--module', 'esnext', '--moduleResolution', 'bundler', 'program.ts'],
  })) {
    const strict = [...options, '--noEmit', '--exactOptionalPropertyTypes', ...files];
    const done = run(process.execPath, [compiler, ...strict], home);
    assert.equal(done.status, 0, `${kind}: ${done.stdout}`);
  }
});

const SQUARES = `new Pool(2).map((x) => x * x, [1, 2, 3]).then(async (squares) => {
  const output = await checkOutput(['echo', 'from a command'], { text: true });
  console.log(JSON.stringify([squares, output]));
  process.exit();
});`;
const PRINTED = '[[1,4,9],"from a command\\n"]\n';

test('the installed package is required by CommonJS', { timeout: 500_000 }, () => {
  const home = install();
  writeFileSync(
    join(home, 'common.cjs'),
    `const { Pool } = require('furca');\nconst { checkOutput } = require('furca/subprocess');\n${SQUARES}`,
  );
  assert.equal(must(run(process.execPath, ['common.cjs'], home)), PRINTED);
});

test('a program bundled with furca external runs, as ESM and as CommonJS', { timeout: 500_000 }, async () => {
  const home = install();
  writeFileSync(
    join(home, 'source.js'),
    `import { Pool } from 'furca';\nimport { checkOutput } from 'furca/subprocess';\n${SQUARES}`,
  );
  for (const [format, outfile] of [
    ['esm', 'bundled.mjs'],
    ['cjs', 'bundled.cjs'],
  ] as const) {
    await bundle(home, outfile, { format, external: ['furca'] });
    assert.equal(must(run(process.execPath, [outfile], home)), PRINTED, format);
  }
});

test('a program that furca was bundled into is told so at first use, not at import', {
  timeout: 500_000,
}, async () => {
  const home = install();
  writeFileSync(
    join(home, 'source.js'),
    `import { FurcaError, Pool, Process } from 'furca';
     import { run } from 'furca/subprocess';
     const uses = [() => new Pool(1), () => new Process({ target: () => {} }).start(), () => run(['true'])];
     (async () => {
       for (const use of uses) {
         try { await use(); } catch (error) { console.log(error.code, /external/.test(error.message)); }
       }
     })();`,
  );
  for (const [format, outfile] of [
    ['esm', 'whole.mjs'],
    ['cjs', 'whole.cjs'],
  ] as const) {
    await bundle(home, outfile, { format, external: ['koffi', 'acorn'] });
    const told = 'ERR_FURCA_UNSUPPORTED_RUNTIME true\n'.repeat(3);
    assert.equal(must(run(process.execPath, [outfile], home)), told, format);
  }
});

async function bundle(
  home: string,
  outfile: string,
  options: Pick<BuildOptions, 'external' | 'format'>,
): Promise<void> {
  await build({
    ...options,
    entryPoints: [join(home, 'source.js')],
    outfile: join(home, outfile),
    bundle: true,
    platform: 'node',
    logLevel: 'silent',
  });
}
