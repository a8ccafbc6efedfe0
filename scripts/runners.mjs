// `npm run test:runners`: whether functions travel where something else than Node runs TypeScript: tsx on Node 20 and 24, vitest on
// Node 24. Installs them into test/runners, and the versions of Node into test/matrix, at the first run. Needs a build.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { installIn } from './npm.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const nodeOf = (version) => at(`test/matrix/node_modules/node${version}/bin/node`);
const LIMIT_MS = 600_000;

for (const [folder, needed] of [
  ['test/runners', ['tsx', 'vitest'].map((name) => at(`test/runners/node_modules/${name}`))],
  ['test/matrix', [20, 24].map(nodeOf)],
]) {
  const areThere = () => needed.every((path) => existsSync(path));
  if (!areThere()) await installIn(at(folder), areThere);
}

function run(node, args, options) {
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    FURCA_WIRE: pathToFileURL(at('dist/src/wire/family-message.js')).href,
  };
  return spawnSync(node, args, { encoding: 'utf8', timeout: LIMIT_MS, maxBuffer: 1 << 26, env, ...options });
}

function report(what, problems) {
  console.log(`${what}: ${problems.length === 0 ? 'good' : 'NOT good'}`);
  for (const problem of problems) console.log(problem);
  if (problems.length > 0) process.exitCode = 1;
}

const TSX = [
  '--no-warnings',
  '--import',
  pathToFileURL(at('test/runners/node_modules/tsx/dist/loader.mjs')).href,
];

/** A table of cases is sent by one process and received by another. */
function table(node, name, mayFail) {
  const program = at(`test/fixtures/${name}.ts`);
  const sent = run(node, [...TSX, program, 'send']);
  const received = run(node, [...TSX, program, 'receive'], { input: sent.stdout });
  if (sent.status !== 0 || received.status !== 0) return [`${sent.stderr}${received.stderr}`];
  const results = JSON.parse(received.stdout);
  const cases = Object.entries(JSON.parse(sent.stdout));
  const wrong = cases.filter(
    ([name, outcome]) =>
      !('refused' in outcome) && !('bytes' in outcome && results[name] === 'ok') && !mayFail.includes(name),
  );
  if (cases.length < 50) return [`only ${cases.length} cases`];
  return wrong.map(([name, outcome]) => `${name}: ${JSON.stringify(results[name] ?? outcome).slice(0, 300)}`);
}

// What the fixtures do not say for a runner: the file is a .cts there, and not what tsc makes of it.
const OF_THE_FILE = ['__filename'];

for (const version of [20, 24]) {
  const node = nodeOf(version);
  // Node 20 gives undefined for a variable that has no value yet.
  const mayFail = [...OF_THE_FILE, ...(version < 22 ? ['a variable that has no value yet'] : [])];
  for (const name of ['closures-cases', 'closures-more'])
    report(`tsx on Node ${version}, ${name}`, table(node, name, mayFail));
  const { status, stdout, stderr } = run(node, [...TSX, at('test/fixtures/runner-cases.ts'), 'run']);
  report(`tsx on Node ${version}, a program`, status === 0 ? [] : [stdout, stderr]);
}

const vitest = [at('test/runners/node_modules/vitest/vitest.mjs'), 'run', '--root', at('test/runners')];
const { status, stdout, stderr } = run(nodeOf(24), vitest, { cwd: at('test/runners') });
report('vitest on Node 24', status === 0 ? [] : [stdout, stderr]);
