// Runs the compiled tests on every supported version of Node: `node scripts/matrix.mjs [version ...] [-- folder or file ...]`.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installIn } from './npm.mjs';

const folder = fileURLToPath(new URL('../test/matrix/', import.meta.url));
const split = process.argv.indexOf('--');
const named = process.argv.slice(2, split === -1 ? undefined : split);
const tests = split === -1 ? [] : process.argv.slice(split + 1);
const versions = named.length > 0 ? named : ['20', '22', '24', '26'];
const program = (version) => `${folder}node_modules/node${version}/bin/node`;

const areThere = () => versions.every((version) => existsSync(program(version)));
// Elsewhere there is no build of them.
const canBeHad = process.platform === 'linux' && process.arch === 'x64';
if (canBeHad && !areThere()) await installIn(folder, areThere);
const results = versions.map((version) => {
  if (!existsSync(program(version))) return `Node ${version}: no build for this system`;
  console.log(`\n=== Node ${version} ===`);
  const env = { ...process.env, FURCA_NODE: program(version) };
  const script = fileURLToPath(new URL('./test.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [script, ...tests], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) process.exitCode = 1;
  return `Node ${version}: ${status === 0 ? 'passed' : 'FAILED'}`;
});
console.log(`\n${results.join('\n')}`);
