import assert from 'node:assert/strict';
import { activeChildren } from '../../src/index.js';
import { descendants, descriptors, isZygote } from './proc.js';
import { eventually } from './watchdog.js';

/** What a process has open before the part that must leave nothing behind. */
export interface Baseline {
  readonly descriptors: readonly string[];
  readonly children: ReadonlySet<number>;
}

export function takeBaseline(): Baseline {
  return { descriptors: descriptors(), children: new Set(descendants(process.pid).map(({ pid }) => pid)) };
}

/**
 * Proves that no child but a zygote is left, no zombie, and no more descriptors than before.
 *
 * @param grace - Descriptors that may have come, because of what lives on: doorbells of the zygote and of the child it holds ready.
 */
export async function assertNothingLeft(baseline: Baseline, grace: number = 0): Promise<void> {
  const running = activeChildren();
  // What one test leaves behind shall not fail the next.
  for (const child of running) child.kill();
  assert.deepEqual(
    running.map(({ name }) => name),
    [],
    'children that furca still counts as running',
  );
  const left = (): string[] =>
    descendants(process.pid)
      .filter((entry) => !baseline.children.has(entry.pid) && !isIdleZygote(entry.pid, entry.parentPid))
      .map(({ pid, state, command }) => `${pid} ${state} ${command}`);
  await eventually('no child process is left', () => left().length === 0).catch(() =>
    assert.deepEqual(left(), []),
  );
  const extra = (): string[] => descriptors().filter((line) => !baseline.descriptors.includes(line));
  // A stream that was just destroyed closes its descriptor in a later turn of the event loop.
  await eventually(
    'no descriptor is left',
    () => descriptors().length <= baseline.descriptors.length + grace,
  ).catch(() => assert.deepEqual(extra(), []));
}

function isIdleZygote(pid: number, parentPid: number): boolean {
  if (parentPid !== process.pid) return false;
  const entry = descendants(process.pid).find((candidate) => candidate.pid === pid);
  return entry === undefined || isZygote(entry);
}
