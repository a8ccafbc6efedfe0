import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { firstCpu } from './affinity.js';
import { killAll, leftovers, MARK } from './leftovers.js';
import { packageRoot } from './package-root.js';
import type { Mode, Observation, Row } from './plan.js';
import { pythonCommand } from './python.js';

/** How long a family may take to go after its first process ended. */
const GRACE_MS = 3_000;
const KEPT_STDERR = 4_000;

/** An observation that gave no figure, or left something running. */
export interface Failure {
  readonly failure: string;
}

const running = new Map<string, number>();
let sequence = 0;

/** Ends what is being observed right now, for the driver's own end. */
export function killRunning(): void {
  for (const [mark, pid] of running) killAll(leftovers(mark, pid));
}

function commandOf(shape: string, row: Row, mode: Mode): [string, string[]] {
  const [command, args] = plainCommandOf(shape, row, mode);
  return row.isPinned ? ['taskset', ['--cpu-list', firstCpu(), command, ...args]] : [command, args];
}

function plainCommandOf(shape: string, { id, program }: Row, mode: Mode): [string, string[]] {
  if (program.kind === 'python') {
    return [pythonCommand(), [join(packageRoot(), 'bench', program.script), ...program.args(mode)]];
  }
  const observer = join(import.meta.dirname, '..', 'observe.js');
  return [process.execPath, [...(program.execArgv ?? []), observer, shape, id, mode]];
}

function parse(stdout: string): Observation | undefined {
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'metrics' in value
      ? (value as Observation)
      : undefined;
  } catch {
    return undefined;
  }
}

async function waitUntilGone(mark: string, group: number): Promise<number[]> {
  const deadline = performance.now() + GRACE_MS;
  for (;;) {
    const left = leftovers(mark, group);
    if (left.length === 0 || performance.now() > deadline) return left;
    await delay(20);
  }
}

/** How a process ended, and what it wrote until then. */
interface End {
  readonly problem: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command to the end of its first process, at most `timeoutMs` long, then ends what is left of it. */
async function runFamily(command: string, args: string[], mark: string, timeoutMs: number): Promise<End> {
  const child = spawn(command, args, {
    detached: true,
    env: { ...process.env, [MARK]: mark },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const group = child.pid ?? -1;
  if (group > 0) running.set(mark, group);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_STDERR);
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let problem: string | null = null;
  const timer = setTimeout(() => {
    problem = `killed after ${timeoutMs} ms`;
    killAll(leftovers(mark, group));
  }, timeoutMs);
  await new Promise<void>((resolve) => {
    child.once('error', (error) => {
      problem = `could not start: ${error.message}`;
      resolve();
    });
    child.once('exit', (code, signal) => {
      if (code !== 0) problem ??= `ended with ${signal ?? `code ${code}`}`;
      resolve();
    });
  });
  clearTimeout(timer);

  const left = group > 0 ? await waitUntilGone(mark, group) : [];
  killAll(left);
  running.delete(mark);
  if (left.length > 0) problem ??= `left ${left.length} processes running, killed now`;
  // The last bytes may arrive after the exit; a pipe that somebody still holds is given up.
  await Promise.race([closed, delay(GRACE_MS, undefined, { ref: false })]);
  child.stdout.destroy();
  child.stderr.destroy();
  return { problem, stdout, stderr };
}

/**
 * Observes `row` once, in a fresh process of its own group. The process and its whole family are gone when this
 * resolves: on a time-out, or when something stays behind, they are killed and the observation is a failure.
 */
export async function observe(
  shape: string,
  row: Row,
  mode: Mode,
  timeoutMs: number,
): Promise<Observation | Failure> {
  const [command, args] = commandOf(shape, row, mode);
  const { problem, stdout, stderr } = await runFamily(
    command,
    args,
    `${process.pid}.${++sequence}`,
    timeoutMs,
  );
  const observation = problem === null ? parse(stdout) : undefined;
  if (observation !== undefined) return observation;
  const said = stderr.trim() === '' ? '' : `\n${stderr.trim()}`;
  return { failure: `${problem ?? 'printed no figures'}${said}` };
}
