// `npm run demo [-- folder]`: builds if the sources are newer than what is built, then runs examples/demo.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = `${root}dist/examples/demo/main.js`;

const changedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const sources = globSync(['src/**/*.ts', 'examples/**/*.ts', 'scripts/finish-build.mjs', 'package.json'], {
  cwd: root,
  absolute: true,
});
// The library is built last: what it is older than was changed since.
const builtAt = Math.min(changedAt(program), changedAt(`${root}dist/lib/index.js`));

if (sources.some((path) => changedAt(path) > builtAt)) {
  console.log('Building …');
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
const { status, signal } = spawnSync(process.execPath, [program, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exitCode = signal === null ? (status ?? 1) : 1;
