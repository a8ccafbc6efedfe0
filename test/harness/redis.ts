import assert from 'node:assert/strict';
import { type ChildProcess, type SpawnSyncOptions, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
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

/** Where a Redis runs, if not on loopback here. */
export interface RedisPlace {
  readonly host: string;
  /** The command that runs another one there. */
  readonly enter: readonly string[];
}

const HERE: RedisPlace = { host: '127.0.0.1', enter: [] };

/** A Redis of a test's own, on loopback. It dies with the process that started it. */
export class TestRedis {
  readonly port: number;
  readonly #place: RedisPlace;
  readonly folder: string;
  #child: ChildProcess | undefined;
  #server = 0;

  private constructor(port: number, place: RedisPlace) {
    this.port = port;
    this.#place = place;
    this.folder = mkdtempSync(join(tmpdir(), 'furca-redis-data-'));
  }

  static async start(place: RedisPlace = HERE): Promise<TestRedis> {
    for (let left = 5; ; left--) {
      const redis = new TestRedis(await freePort(), place);
      try {
        await redis.run();
        return redis;
      } catch (error) {
        await redis.stop();
        // Somebody else may have taken the port first.
        if (left === 0) throw error;
      }
    }
  }

  get url(): string {
    return `redis://${this.#place.host}:${this.port}`;
  }

  /** The server itself, for a test to signal. */
  get serverPid(): number {
    return this.#server;
  }

  /** Starts it, with what it had written before. */
  async run(): Promise<void> {
    const chosen = program();
    assert.ok(chosen !== null);
    const { host, enter } = this.#place;
    const settings = {
      port: this.port,
      bind: host,
      dir: this.folder,
      appendonly: 'yes',
      save: '',
      'protected-mode': 'no',
      'maxmemory-policy': 'noeviction',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    // A shell that ends the server when this process, which holds its stdin, is gone, however that was.
    const script = '"$@" >/dev/null 2>&1 & server=$!; echo $server; read -r _; kill -9 $server; wait $server';
    const child = spawn('sh', ['-c', script, 'sh', ...enter, chosen.path, ...args], {
      env: environment(chosen),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child = child;
    const [line] = await firstLine(child);
    this.#server = Number(line);
    await answering(host, this.port, this.#server);
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

/** Where the system takes the ports of those who connect, from here up. */
function firstEphemeralPort(): number {
  return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
}

const FIRST_PORT = 10_000;

/**
 * A port below those that the system gives to who connects: while the server is down nobody can get it by chance, not even a client
 * that looks for the server and would then be connected to itself.
 */
async function freePort(): Promise<number> {
  const count = Math.max(1000, firstEphemeralPort() - FIRST_PORT);
  for (let left = 100; ; left--) {
    const port = FIRST_PORT + Math.floor(Math.random() * count);
    if (await isFree(port)) return port;
    assert.ok(left > 0, 'no port is free');
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Resolves once the server of this process id answers: while it loads what it had, it does not. */
async function answering(host: string, port: number, pid: number): Promise<void> {
  const deadline = performance.now() + 60_000;
  while ((await serverAt(host, port)) !== pid) {
    assert.ok(!hasEnded(pid), 'Redis has ended');
    assert.ok(performance.now() < deadline, 'Redis does not come up');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Its shell has not waited for it: one that has ended is a zombie. */
function hasEnded(pid: number): boolean {
  return (processEntry(pid)?.state ?? 'Z') === 'Z';
}

/** The process id of the Redis that answers on a port and is ready; 0 for none. */
function serverAt(host: string, port: number): Promise<number> {
  return new Promise((resolve) => {
    const socket = createConnection(port, host);
    let said = '';
    const answer = (): void => {
      socket.destroy();
      const isLoading = !/^loading:0/m.test(said);
      resolve(isLoading ? 0 : Number(/^process_id:(\d+)/m.exec(said)?.[1] ?? 0));
    };
    socket.setTimeout(5000, answer);
    socket.once('error', answer);
    // INFO is answered while it loads, too, and says so.
    socket.once('connect', () => socket.write('INFO server\r\nINFO persistence\r\n'));
    socket.on('data', (data: Buffer) => {
      said += data.toString();
      if (/^loading:\d/m.test(said)) answer();
    });
  });
}
