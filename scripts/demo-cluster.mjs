// `npm run demo:cluster [-- folder]`: examples/cluster over two workers and a Redis on loopback. Installs nothing: says what is missing.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = `${root}dist/examples/cluster/main.js`;
const missing = [];
for (const name of ['bullmq', 'ioredis'])
  if (!existsSync(`${root}node_modules/${name}`))
    missing.push(`the package ${name}: npm install bullmq ioredis`);
const server = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => ['redis-server', 'valkey-server'].map((name) => join(folder, name)))
  .find((path) => existsSync(path));
if (server === undefined && process.env.REDIS_URL === undefined)
  missing.push(
    'redis-server or valkey-server, such as by: apt-get install redis-server (or name a broker in REDIS_URL)',
  );
if (missing.length > 0) {
  console.error(`This demo needs what is not here:\n${missing.map((one) => `  - ${one}`).join('\n')}`);
  process.exit(1);
}
if (!existsSync(program)) {
  console.log('Building …');
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const children = [];
const folder = mkdtempSync(join(tmpdir(), 'furca-demo-'));

function start(command, args, stdio) {
  const child = spawn(command, args, { stdio });
  children.push(child);
  return child;
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function startServer() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  const settings = [
    '--port',
    port,
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--appendonly',
    'yes',
    '--save',
    '',
  ];
  const child = start(server, settings.map(String), 'ignore');
  while (!(await answers(port))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${server} does not run here.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return `redis://127.0.0.1:${port}`;
}

let code = 1;
try {
  const broker = process.env.REDIS_URL ?? (await startServer());
  const app = `${root}dist/examples/cluster`;
  for (let i = 0; i < 2; i++) {
    const args = ['worker', '--broker', broker, '--queue', 'demo', '--app', app, '--jobs', '1'];
    start(process.execPath, [`${root}dist/lib/cli/main.js`, ...args], ['ignore', 'inherit', 'inherit']);
  }
  const files = process.argv[2] ?? `${root}node_modules`;
  const main = start(process.execPath, [program, broker, files], ['ignore', 'inherit', 'inherit']);
  [code] = await once(main, 'close');
} finally {
  // The server last: the workers take leave of it.
  for (const child of children.reverse()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, 'close');
    child.kill('SIGTERM');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = code ?? 1;
