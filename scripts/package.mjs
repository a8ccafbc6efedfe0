// `npm run test:package`: packs the package, has it looked over by publint and attw, installs it with npm in an empty project, and uses
// it there as ESM, as CommonJS and as TypeScript, on every Node of test/matrix that is installed. Needs the npm registry.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Here and not among the dev dependencies: attw brings a TypeScript of its own along.
const PUBLINT = 'publint@0.3.25';
const ATTW = '@arethetypeswrong/cli@0.18.5';

const root = fileURLToPath(new URL('..', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'furca-project-'));

function must(what, command, args, cwd = home) {
  const env = { ...process.env, NODE_OPTIONS: '', npm_config_update_notifier: 'false' };
  const done = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: 300_000 });
  if (done.status === 0) {
    console.log(`${what}: good`);
    return done.stdout;
  }
  throw new Error(`${what}: NOT good\n${done.stdout}${done.stderr}${done.error ?? ''}`);
}

const PROGRAM = `new Pool(2).map((x) => x * x, [1, 2, 3]).then(async (squares) => {
  const output = await checkOutput(['echo', 'a command'], { text: true });
  if (squares.join() !== '1,4,9' || output !== 'a command\\n') process.exitCode = 1;
  process.exit();
});
`;
const FILES = {
  'package.json': '{ "type": "module", "private": true }\n',
  'esm.js': `import { Pool } from 'furca';\nimport { checkOutput } from 'furca/subprocess';\n${PROGRAM}`,
  'common.cjs': `const { Pool } = require('furca');\nconst { checkOutput } = require('furca/subprocess');\n${PROGRAM}`,
  'typed.ts': `import { Pool } from 'furca';\nimport { checkOutput } from 'furca/subprocess';\n${PROGRAM.replace('(x)', '(x: number)')}`,
};

function nodes() {
  const found = ['20', '22', '24', '26']
    .map((version) => `${root}test/matrix/node_modules/node${version}/bin/node`)
    .filter((path) => existsSync(path));
  return found.length > 0 ? found : [process.execPath];
}

try {
  const packed = must(
    'npm pack',
    'npm',
    ['pack', '--ignore-scripts', '--silent', '--pack-destination', home],
    root,
  );
  const tarball = join(home, packed.trim().split('\n').at(-1));
  must('publint', 'npx', ['--yes', PUBLINT, '--strict', tarball]);
  // Only ESM is published: CommonJS gets it by require(esm), which every supported Node has.
  must('attw', 'npx', ['--yes', ATTW, '--profile', 'esm-only', tarball]);
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(home, name), text);
  must('npm install', 'npm', [
    'install',
    '--silent',
    '--no-audit',
    '--no-fund',
    tarball,
    'typescript@^6 || ^7',
    '@types/node@^20',
  ]);
  for (const [kind, flags] of [
    ['nodenext', ['--module', 'nodenext']],
    ['bundler', ['--module', 'esnext', '--moduleResolution', 'bundler']],
  ]) {
    const options = [
      '--strict',
      '--noEmit',
      '--types',
      'node',
      '--target',
      'es2023',
      '--lib',
      'es2023,esnext.disposable',
    ];
    must(`TypeScript, ${kind}`, 'npx', ['tsc', ...options, ...flags, 'typed.ts']);
  }
  for (const node of nodes()) {
    const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
    for (const file of ['esm.js', 'common.cjs']) must(`Node ${version}, ${file}`, node, [file]);
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(home, { recursive: true, force: true });
}
