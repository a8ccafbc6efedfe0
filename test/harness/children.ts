import assert from 'node:assert/strict';
import { Process } from '../../src/index.js';

/** Starts a child that runs `target`; the caller joins it. */
export async function startChild<const Args extends readonly unknown[]>(
  target: (...args: Args) => unknown,
  args: Args,
): Promise<Process> {
  const child = new Process({ target, args } as never);
  await child.start();
  return child as Process;
}

/** Runs `target` in a child to its end, which must be a good one. */
export async function inChild<const Args extends readonly unknown[]>(
  target: (...args: Args) => unknown,
  args: Args,
): Promise<void> {
  const child = await startChild(target, args);
  await child.join();
  assert.equal(child.exitCode, 0);
}
