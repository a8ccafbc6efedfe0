import { text } from 'node:stream/consumers';
import { Process, type ProcessSettings, type StartMethod } from '../../src/index.js';
import { guarded } from './watchdog.js';

/** How a child ended and what it wrote. */
export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Target<Args extends readonly unknown[]> = (...args: Args) => unknown;

/** A process whose output the test reads. */
export function captured<const Args extends readonly unknown[]>(
  method: StartMethod,
  target: Target<Args>,
  args: Args,
  settings: ProcessSettings = {},
): Process<Args> {
  const options = { startMethod: method, stdio: ['ignore', 'pipe', 'pipe'], ...settings, target, args };
  return new Process<Args>(options as never);
}

/** Runs `target` in a child to its end. */
export async function outcome<const Args extends readonly unknown[]>(
  method: StartMethod,
  target: Target<Args>,
  args: Args,
  settings: ProcessSettings = {},
): Promise<Outcome> {
  const child = captured(method, target, args, settings);
  await child.start();
  return guarded(child.name, () => finish(child));
}

/** Reads what a started child writes, waits for its end, and closes it. */
export async function finish(child: Process<never> | Process): Promise<Outcome> {
  const streams = [child.stdout, child.stderr].map((stream) => (stream === null ? '' : text(stream)));
  await child.join();
  const [stdout = '', stderr = ''] = await Promise.all(streams);
  const { exitCode } = child;
  child.close();
  return { exitCode, stdout, stderr };
}

/** What `target` printed as JSON. */
export async function answer<const Args extends readonly unknown[]>(
  method: StartMethod,
  target: Target<Args>,
  args: Args,
  settings: ProcessSettings = {},
): Promise<unknown> {
  const { exitCode, stdout, stderr } = await outcome(method, target, args, settings);
  if (exitCode !== 0)
    throw new Error(`The child ended with ${exitCode}.\nstdout: ${stdout}\nstderr: ${stderr}`);
  return JSON.parse(stdout);
}
