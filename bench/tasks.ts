/** What the benches run in workers: exported functions of an importable module, as every rival needs them. */
import { writeSync } from 'node:fs';

/** The task of all pool rows. */
export function noop(x: number): number {
  return x;
}

/** The shortest life of a child: say so, end. */
export function firstByte(): void {
  writeSync(1, 'x');
}

/** A child that came up and then waits, as a worker without work does. */
export async function stayIdle(): Promise<void> {
  writeSync(1, 'x');
  await new Promise((resolve) => setTimeout(resolve, 3_600_000));
}

/** The same after a task of some 100 microseconds that makes about a thousand objects. */
export async function workThenStayIdle(): Promise<void> {
  smallTask();
  await stayIdle();
}

/** Makes, writes, reads and sorts 500 small records. */
export function smallTask(): number {
  const records = Array.from({ length: 500 }, (_, index) => ({ id: index, name: `record ${index % 37}` }));
  const copy: typeof records = JSON.parse(JSON.stringify(records));
  return copy.sort((a, b) => a.name.localeCompare(b.name) || b.id - a.id)[0]!.id;
}

/** Keeps its process busy for ten milliseconds, by the clock. */
export function tenMs(x: number): number {
  const end = performance.now() + 10;
  while (performance.now() < end);
  return x;
}
