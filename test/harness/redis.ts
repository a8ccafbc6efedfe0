import assert from 'node:assert/strict';
import { type ChildProcess, type SpawnSyncOptions, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';
import { processEntry } from './proc.js';

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
/** How often what is fetched is tried for, besides what apt tries by itself. */
const ATTEMPTS = 3;
/** Longest time for one command that fetches. */
const FETCH_MS = 180_000;
const cache = join(fileURLToPath(new URL('../../..', import.meta.url)), 'node_modules/.cache/furca-redis');

/** A program that answers as Redis does, and what it needs around it. */
interface Program {
  readonly path: string;
  readonly libraries: string;
}

let found: Program | null | undefined;
/** What the last command that fetches or unpacks said when it failed. */
let problem = '';

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

function unpacked(folder: string = cache): Program | null {
  if (!existsSync(folder)) return null;
  // The Redis of Debian's package is a link to one program that is several.
  const names = ['usr/bin/redis-server', 'usr/bin/redis-check-rdb'].map((name) => join(folder, name));
  const path = names.find((name) => existsSync(name));
  if (path === undefined) return null;
  const libraries = new Set(
    globSync(['**/lib*.so*'], { cwd: folder, absolute: true }).map((file) => dirname(file)),
  );
  const candidate = { path, libraries: [...libraries].join(':') };
  return succeeds(path, ['--version'], { env: environment(candidate) }) ? candidate : null;
}

function succeeds(command: string, args: readonly string[], options: SpawnSyncOptions): boolean {
  const settings = { timeout: FETCH_MS, ...options, encoding: 'utf8' } as const;
  const { status, stderr, error } = spawnSync(command, args, settings);
  if (status !== 0) problem = `${command} ${args.join(' ')}: ${error?.message ?? stderr}`.trim();
  return status === 0;
}

/** Debian's packages, in `folder`; the lists that say where they are may have to be fetched first. */
function download(folder: string): boolean {
  // One at a time: apt refuses while another one, for the tests of another file, writes its lists.
  const apt = (...args: readonly string[]): boolean =>
    succeeds('flock', [`${cache}.lock`, 'apt-get', '-o', 'Acquire::Retries=3', ...args], { cwd: folder });
  if (apt('download', ...PACKAGES)) return true;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++)
    if (apt('update') && apt('download', ...PACKAGES)) return true;
  return false;
}

function unpack(): Program | null {
  mkdirSync(dirname(cache), { recursive: true });
  const packages = mkdtempSync(join(tmpdir(), 'furca-redis-'));
  // Beside its place, then moved there at once: the tests of another file may be at the same.
  const beside = mkdtempSync(`${cache}-`);
  try {
    if (!download(packages)) return null;
    for (const file of readdirSync(packages))
      if (!succeeds('dpkg-deb', ['-x', join(packages, file), beside], {})) return null;
    if (unpacked(beside) === null) return null;
    // What is there already is another's, who was first; or of no use, and would be so for ever.
    if (existsSync(cache) && unpacked() === null) rmSync(cache, { recursive: true, force: true });
    if (!existsSync(cache)) move(beside, cache);
    return unpacked();
  } finally {
    for (const folder of [packages, beside]) rmSync(folder, { recursive: true, force: true });
  }
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    // Somebody else was first.
  }
}

function environment({ libraries }: Program): NodeJS.ProcessEnv {
  return libraries === '' ? process.env : { ...process.env, LD_LIBRARY_PATH: libraries };
}

/** For tests that need Redis: why they are skipped, `false` where there is one. */
export function whyNoRedis(): string | false {
  if (program() !== null) return false;
  console.error(
    `NOT TESTED: there is no redis-server or valkey-server, and Debian’s could not be had.\n${problem}`,
  );
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
    for (let attempt = 1; ; attempt++) {
      const redis = new TestRedis(await freePort());
      try {
        await redis.run();
        return redis;
      } catch (error) {
        // Somebody else may have taken the port first.
        await redis.stop();
        if (attempt === ATTEMPTS) throw error;
      }
    }
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
    await answering(this.port, this.#server);
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

/**
 * A port that nobody listens at, below those that the kernel gives out: clients that try again and again while a server is down would
 * take its port for their own end, and meet themselves there.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Resolves once the server answers PING with PONG: while it loads what it had, it does not. */
async function answering(port: number, server: number): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await ping(port, server))) {
    const state = processEntry(server)?.state ?? 'Z';
    assert.ok(state !== 'Z', 'Redis ended before it came up');
    assert.ok(performance.now() < deadline, 'Redis does not come up');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Tells whether `server` is up, and not another one at its port. */
function ping(port: number, server: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    let said = '';
    const answer = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket.setTimeout(1000, () => answer(false));
    socket.once('error', () => answer(false));
    socket.once('connect', () => socket.write('PING\r\nINFO server\r\n'));
    socket.on('data', (data: Buffer) => {
      said += data.toString();
      const pid = /^process_id:(\d+)\r$/m.exec(said)?.[1];
      if (pid !== undefined || !'+PONG'.startsWith(said.slice(0, 5)))
        answer(said.startsWith('+PONG') && Number(pid) === server);
    });
    socket.once('close', () => answer(false));
  });
}
