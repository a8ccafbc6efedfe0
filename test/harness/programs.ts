import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describeFamily } from './proc.js';

/** The root of this package; compiled tests lie in dist/test/harness. */
const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url));

/** Flags that make a program able to fork itself. */
export const FORK_READY: readonly string[] = ['--single-threaded', '--v8-pool-size=1'];

const HANG_MS = 180_000;

let folder: string | undefined;
let count = 0;

/** A folder in which programs can import this package's development dependencies; removed after the tests. */
export function programFolder(): string {
  if (folder === undefined) {
    const made = realpathSync(mkdtempSync(join(tmpdir(), 'furca-test-')));
    mkdirSync(join(made, 'node_modules'));
    for (const name of ['nanoid', 'uuid']) {
      symlinkSync(realpathSync(join(PACKAGE, 'node_modules', name)), join(made, 'node_modules', name));
    }
    process.on('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return folder;
}

/** Where each door of the package lies. */
const DOORS = new Map([
  ['furca', 'dist/lib/index.js'],
  ['furca/connection', 'dist/lib/connection.js'],
  ['furca/managers', 'dist/lib/managers.js'],
  ['furca/os', 'dist/lib/os.js'],
  ['furca/threading', 'dist/lib/threading.js'],
  ['furca/subprocess', 'dist/lib/subprocess.js'],
  ['furca/fork-ready', 'dist/lib/fork-ready.js'],
]);

/** Writes a module into {@link programFolder} and answers its path. It may `import 'furca'`. */
export function writeModule(source: string, name: string = `module-${++count}.mjs`): string {
  const path = join(programFolder(), name);
  // By path, not by a link in node_modules: the built package is tested as it lies here.
  const linked = source.replace(/'(furca[\w/-]*)'/g, (whole, name: string) => {
    const door = DOORS.get(name);
    return door === undefined ? whole : `'${pathToFileURL(join(PACKAGE, door)).href}'`;
  });
  writeFileSync(path, linked);
  return path;
}

export interface RunOptions {
  /** Flags of Node, before the script. */
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly hangMs?: number;
  /** What is at descriptors 0 to 2; `pipe` where it is left out. */
  readonly stdio?: readonly ('pipe' | 'ignore' | number)[];
}

/** How a program ended and what it wrote. */
export interface RunResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs. */
export interface RunningProgram {
  readonly process: ChildProcess;
  readonly pid: number;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves with the first match in its output; rejects when it ends without. */
  saw(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Resolves once it has ended and its output, also that of its children, is closed. */
  readonly result: Promise<RunResult>;
}

/** Starts a program, given as the path of a module or as its source. It is killed should it hang. */
export function startProgram(program: string, options: RunOptions = {}): RunningProgram {
  const path = program.includes('\n') ? writeModule(program) : program;
  const { flags = [], args = [], env, cwd, hangMs = HANG_MS, stdio = [] } = options;
  const clean = { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined, ...env };
  const child = spawn(process.execPath, [...flags, path, ...args], {
    env: clean,
    stdio: [stdio[0] ?? 'pipe', stdio[1] ?? 'pipe', stdio[2] ?? 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const texts = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      texts[name] += chunk;
      for (const watcher of watchers) watcher();
    });
  }
  let isOver = false;
  const result = new Promise<RunResult>((resolve, reject) => {
    const timer = setTimeout(() => {
      const family = describeFamily(child.pid);
      child.kill('SIGKILL');
      reject(
        new Error(
          `The program hung for ${hangMs} ms.\nstdout: ${texts.stdout}\nstderr: ${texts.stderr}\nfamily:\n${family}`,
        ),
      );
    }, hangMs);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      isOver = true;
      for (const watcher of watchers) watcher();
      resolve({ code, signal, ...texts });
    });
  });
  result.catch(() => {});
  return {
    process: child,
    pid: child.pid as number,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    saw: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = texts.stdout.match(pattern) ?? texts.stderr.match(pattern);
          if (match === null && !isOver) return;
          watchers.delete(look);
          if (match !== null) resolve(match);
          else
            reject(
              new Error(
                `The program ended without ${pattern}.\nstdout: ${texts.stdout}\nstderr: ${texts.stderr}`,
              ),
            );
        };
        watchers.add(look);
        result.catch(reject);
        look();
      }),
    result,
  };
}

/** Runs a program to its end. */
export function runProgram(program: string, options: RunOptions = {}): Promise<RunResult> {
  return startProgram(program, options).result;
}
