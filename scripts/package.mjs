// `npm run test:package`: packs the package, has it looked over by publint and attw, installs it with npm in an empty project, and uses
// it there as ESM, as CommonJS, as TypeScript and in a bundle, on every Node of test/matrix that is installed. Needs the npm registry.
// `node scripts/package.mjs 24 ...` takes only these versions.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { fetchAgain, PATIENCE } from './npm.mjs';

// Here and not among the dev dependencies: attw brings a TypeScript of its own along.
const PUBLINT = 'publint@0.3.25';
const ATTW = '@arethetypeswrong/cli@0.18.5';

const root = fileURLToPath(new URL('..', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'furca-project-'));
const tools = join(home, 'tools');
/** Longest time for one command: a guard against hangs. */
const LIMIT_MS = 900_000;

async function must(what, command, args, cwd = home) {
  const env = { ...process.env, ...PATIENCE, NODE_OPTIONS: '', npm_config_update_notifier: 'false' };
  const child = spawn(command, args, { cwd, env, timeout: LIMIT_MS, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (code !== 0) throw new Error(`${what}: NOT good\n${stdout}${stderr}`);
  console.log(`${what}: good`);
  return stdout;
}

const USE = `new Pool(2).map((x) => x * x, [1, 2, 3]).then(async (squares) => {
  const output = await checkOutput(['echo', 'a command'], { text: true });
  if (squares.join() !== '1,4,9' || output !== 'a command\\n') process.exitCode = 1;
  process.exit();
});
`;
const IMPORTS = "import { Pool } from 'furca';\nimport { checkOutput } from 'furca/subprocess';\n";
const REQUIRES = "const { Pool } = require('furca');\nconst { checkOutput } = require('furca/subprocess');\n";
const FILES = {
  'package.json': '{ "type": "module", "private": true }\n',
  'esm.js': `${IMPORTS}${USE}`,
  'common.cjs': `${REQUIRES}${USE}`,
  'typed.ts': `${IMPORTS}${USE.replace('(x)', '(x: number)')}`,
};
const PROGRAMS = ['esm.js', 'common.cjs', 'bundle.mjs', 'bundle.cjs'];

async function bundle(file, format) {
  const options = { bundle: true, platform: 'node', format, external: ['furca'], logLevel: 'warning' };
  await build({ ...options, entryPoints: [join(home, 'typed.ts')], outfile: join(home, file) });
}

function installed(what, cwd, names) {
  const install = ['install', '--loglevel=error', '--no-audit', '--no-fund', ...names];
  return fetchAgain(what, () => must(what, 'npm', install, cwd));
}

function nodes() {
  const wanted = process.argv.slice(2);
  const found = (wanted.length > 0 ? wanted : ['20', '22', '24', '26'])
    .map((version) => `${root}test/matrix/node_modules/node${version}/bin/node`)
    .filter((path) => existsSync(path));
  return found.length > 0 ? found : [process.execPath];
}

async function compile(kind, flags) {
  const lib = ['--target', 'es2023', '--lib', 'es2023,esnext.disposable', '--types', 'node'];
  const tsc = ['node_modules/typescript/bin/tsc', '--strict', '--noEmit', ...lib, ...flags, 'typed.ts'];
  await must(`TypeScript, ${kind}`, process.execPath, tsc);
}

async function runAll(node) {
  const version = /node(\d+)\/bin/.exec(node)?.[1] ?? process.versions.node;
  for (const file of PROGRAMS) await must(`Node ${version}, ${file}`, node, [file]);
}

try {
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', home];
  const packed = await must('npm pack', 'npm', pack, root);
  const tarball = join(home, packed.trim().split('\n').at(-1));
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(home, name), content);
  mkdirSync(tools);
  writeFileSync(join(tools, 'package.json'), '{ "private": true }\n');
  await Promise.all([
    installed('npm install of the tools', tools, [PUBLINT, ATTW]),
    installed('npm install', home, [tarball, 'typescript@^6 || ^7', '@types/node@^20']),
  ]);
  const tool = (name) => join(tools, 'node_modules/.bin', name);
  await Promise.all([
    must('publint', tool('publint'), ['--strict', tarball], root),
    // Only ESM is published: CommonJS gets it by require(esm), which every supported Node has.
    must('attw', tool('attw'), ['--profile', 'esm-only', tarball], root),
  ]);
  await bundle('bundle.mjs', 'esm');
  await bundle('bundle.cjs', 'cjs');
  await Promise.all([
    compile('nodenext', ['--module', 'nodenext']),
    compile('bundler', ['--module', 'esnext', '--moduleResolution', 'bundler']),
  ]);
  for (const node of nodes()) await runAll(node);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(home, { recursive: true, force: true });
}
