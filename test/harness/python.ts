import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';

const HANG_MS = 100_000;

/** The CPython that tests talk to; `FURCA_PYTHON` names another. `undefined` when there is none. */
export const PYTHON: string | undefined = findPython();

function findPython(): string | undefined {
  const command = process.env['FURCA_PYTHON'] ?? 'python3';
  const found =
    spawnSync(command, ['-c', 'import multiprocessing.managers'], { timeout: HANG_MS }).status === 0;
  if (found) return command;
  console.error(`**** ${command} IS NOT HERE: nothing is tested against a real Python. Install it. ****`);
  return undefined;
}

/** Options of a test that needs Python. */
export const NEEDS_PYTHON: { readonly timeout: number; readonly skip: string | false } = {
  timeout: 120_000,
  skip: PYTHON === undefined ? 'no python3 was found' : false,
};

/** A Python program that runs. */
export interface PythonPeer {
  readonly process: ChildProcess;
  /** The next line that it prints; rejects when it ends before. */
  line(): Promise<string>;
  /** Its exit code and what it wrote to stderr, once it has ended. */
  readonly result: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** Starts a Python program, given as its source. It is killed should it hang. */
export function startPython(source: string, ...args: readonly string[]): PythonPeer {
  const child = spawn(PYTHON ?? 'python3', ['-u', '-c', source, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const timer = setTimeout(() => child.kill('SIGKILL'), HANG_MS);
  const result = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stderr });
    });
  });
  return {
    process: child,
    result,
    async line() {
      const { done, value } = await lines.next();
      if (!done) return value;
      throw new Error(`The Python program ended early.\n${(await result).stderr}`);
    },
  };
}

/** Runs a Python program to its end and answers what it wrote to stdout; what it reads is `input`. */
export function runPython(
  source: string,
  input: Uint8Array = new Uint8Array(0),
  ...args: readonly string[]
): Buffer {
  const { status, stdout, stderr } = spawnSync(PYTHON ?? 'python3', ['-c', source, ...args], {
    input,
    timeout: HANG_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`The Python program ended with ${status}.\n${stderr}`);
  return stdout;
}
