// Runs the compiled tests: `node scripts/test.mjs [folder or file ...]`, by default all of them, on the node it is started with.
// `FURCA_NODE` names another node to run them on.
import { spawn } from 'node:child_process';
import { globSync } from 'tinyglobby';

const root = new URL('..', import.meta.url);
const wanted = process.argv.slice(2);
const patterns =
  wanted.length > 0
    ? wanted.map((name) => (name.endsWith('.js') ? name : `${name}/**/*.test.js`))
    : ['dist/test/**/*.test.js'];
const files = globSync(patterns, { cwd: root }).sort();
if (files.length === 0) {
  console.error(`No compiled tests match ${patterns.join(', ')}. Run \`npm run build\` first.`);
  process.exit(1);
}
// npm puts node_modules/.bin in front of PATH; the node that runs npm is the one to test.
const node = process.env.FURCA_NODE ?? process.env.npm_node_execpath ?? process.execPath;
// For a whole file: a guard against hangs, also where the machine has much else to do.
const LIMIT_MS = 600_000;
const args = [
  '--test',
  '--test-concurrency=2',
  `--test-timeout=${LIMIT_MS}`,
  '--test-reporter=spec',
  ...files,
];
const run = spawn(node, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
run.on('exit', (code, signal) => {
  process.exitCode = code ?? 1;
  if (signal !== null) console.error(`The test runner was ended by ${signal}.`);
});
