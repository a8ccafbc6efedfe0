import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';

/** What Debian's server needs and a bare machine may not have. */
const PACKAGES = [
  'redis-tools',
  'redis-server',
  'libjemalloc2',
  'liblzf1',
  'libatomic1',
  'libsystemd0',
  'libssl3',
];
const cache = join(fileURLToPath(new URL('../../..', import.meta.url)), 'node_modules/.cache/furca-redis');

/** A program that answers as Redis does, and what it needs around it. */
interface Program {
  readonly path: string;
  readonly libraries: string;
}

let found: Program | null | undefined;

/** Redis or Valkey: installed, or else Debian's, unpacked into a folder of this checkout without installing it. */
function program(): Program | null {
  if (found === undefined) found = installed() ?? unpacked() ?? unpack();
  return found;
}

function installed(): Program | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of ['redis-server', 'valkey-server']) {
      const path = join(folder, name);
      if (folder !== '' && existsSync(path)) return { path, libraries: '' };
    }
  }
  return null;
}

function unpacked(): Program | null {
  if (!existsSync(cache)) return null;
  // The Redis of Debian's package is a link to one program that is several.
  const names = ['usr/bin/redis-server', 'usr/bin/redis-check-rdb'].map((name) => join(cache, name));
  const path = names.find((name) => existsSync(name));
  if (path === undefined) return null;
  const libraries = new Set(
    globSync(['**/lib*.so*'], { cwd: cache, absolute: true }).map((file) => dirname(file)),
  );
  const candidate = { path, libraries: [...libraries].join(':') };
  const { status } = spawnSync(path, ['--version'], { env: environment(candidate) });
  return status === 0 ? candidate : null;
}

function unpack(): Program | null {
  const packages = mkdtempSync(join(tmpdir(), 'furca-redis-'));
  const run = (command: string, args: readonly string[]): boolean =>
    spawnSync(command, args, { cwd: packages, stdio: 'ignore', timeout: 60_000 }).status === 0;
  try {
    const isFetched =
      run('apt-get', ['download', ...PACKAGES]) ||
      (run('apt-get', ['update']) && run('apt-get', ['download', ...PACKAGES]));
    if (!isFetched) return null;
    // Beside its place, then moved there at once: the tests of another file may be at the same.
    mkdirSync(dirname(cache), { recursive: true });
    const beside = mkdtempSync(`${cache}-`);
    for (const file of readdirSync(packages)) run('dpkg-deb', ['-x', join(packages, file), beside]);
    try {
      renameSync(beside, cache);
    } catch {
      rmSync(beside, { recursive: true, force: true });
    }
    return unpacked();
  } finally {
    rmSync(packages, { recursive: true, force: true });
  }
}

function environment({ libraries }: Program): NodeJS.ProcessEnv {
  return libraries === '' ? process.env : { ...process.env, LD_LIBRARY_PATH: libraries };
}

/** For tests that need Redis: why they are skipped, `false` where there is one. */
export function whyNoRedis(): string | false {
  if (program() !== null) return false;
  console.error('NOT TESTED: there is no redis-server or valkey-server, and Debian’s could not be had.');
  return 'no redis-server or valkey-server, nor apt-get to have one';
}

/** A Redis of a test's own, on loopback. It dies with the process that started it. */
export class TestRedis {
  readonly port: number;
  readonly folder: string;
  #child: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
    this.folder = mkdtempSync(join(tmpdir(), 'furca-redis-data-'));
  }

  static async start(): Promise<TestRedis> {
    const redis = new TestRedis(await freePort());
    await redis.run();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it, with what it had written before. */
  async run(): Promise<void> {
    const chosen = program();
    assert.ok(chosen !== null);
    const settings = {
      port: this.port,
      bind: '127.0.0.1',
      dir: this.folder,
      appendonly: 'yes',
      save: '',
      'protected-mode': 'no',
      'maxmemory-policy': 'noeviction',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    // A shell that ends the server when this process, which holds its stdin, is gone, however that was.
    const script = '"$@" >/dev/null 2>&1 & server=$!; echo $server; read -r _; kill -9 $server; wait $server';
    const child = spawn('sh', ['-c', script, 'sh', chosen.path, ...args], {
      env: environment(chosen),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child = child;
    const [line] = await firstLine(child);
    this.#server = Number(line);
    await answering(this.port);
  }

  #server = 0;

  /** The server itself, for a test to signal. */
  get serverPid(): number {
    return this.#server;
  }

  /** Kills it as a crash would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    child.stdin?.end('\n');
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function firstLine(child: ChildProcess): Promise<string[]> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.stdout?.once('data', (data: Buffer) => resolve(data.toString().split('\n')));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Resolves once it answers PING with PONG: while it loads what it had, it does not. */
async function answering(port: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await ping(port))) {
    assert.ok(performance.now() < deadline, 'Redis does not come up');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function ping(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    const answer = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket.setTimeout(1000, () => answer(false));
    socket.once('error', () => answer(false));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data: Buffer) => answer(data.toString().startsWith('+PONG')));
  });
}
