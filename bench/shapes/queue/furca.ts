import { Pipe, type PipeConnection, Process, Queue } from '../../../src/index.js';
import type { Mode, Observation } from '../../runner/plan.js';
import { tripMetrics } from '../pingpong/trips.js';
import { countsOf, type Item, makeItem, mebibytes, perSecond } from './counts.js';

type Target<Args extends readonly unknown[]> = (...args: Args) => unknown;

async function start<Args extends readonly unknown[]>(target: Target<Args>, args: Args): Promise<Process> {
  const child = new Process({ target, args } as never);
  await child.start();
  return child as Process;
}

/** A producer: waits for the start and puts, blocking. */
export function produce(queue: Queue<Item>, go: Queue<true>, count: number): void {
  go.getSync();
  for (let id = 0; id < count; id++) queue.putSync(makeItem(id));
}

/** Moves small items from some producers to this process, which blocks or awaits. */
export async function observeQueue(mode: Mode, producers: number, isAwaiting: boolean): Promise<Observation> {
  const { items } = countsOf(mode);
  const queue = new Queue<Item>();
  const go = new Queue<true>();
  const share = items / producers;
  const children: Process[] = [];
  for (let n = 0; n < producers; n++) children.push(await start(produce, [queue, go, share]));
  const began = performance.now();
  for (const _ of children) await go.put(true);
  if (isAwaiting) for (let n = 0; n < items; n++) await queue.get();
  else for (let n = 0; n < items; n++) queue.getSync();
  const metrics = perSecond(items, performance.now() - began);
  for (const child of children) await child.join();
  return { metrics };
}

/** The other side of a round trip: blocks. */
export function echo(end: PipeConnection<number>, trips: number): void {
  for (let trip = 0; trip < trips; trip++) end.sendSync(end.recvSync());
}

/** Round trips of a small integer over a Pipe; this side blocks or awaits, the other blocks. */
export async function observeTrips(mode: Mode, isAwaiting: boolean): Promise<Observation> {
  const { warmUpTrips, trips } = countsOf(mode);
  const [own, other] = Pipe<number>();
  const child = await start(echo, [other, warmUpTrips + trips]);
  const micros: number[] = [];
  for (let trip = 0; trip < warmUpTrips + trips; trip++) {
    const began = performance.now();
    if (isAwaiting) await own.send(trip);
    else own.sendSync(trip);
    const answer = isAwaiting ? await own.recv() : own.recvSync();
    if (answer !== trip) throw new Error(`trip ${trip} came back as ${answer}`);
    if (trip >= warmUpTrips) micros.push((performance.now() - began) * 1000);
  }
  await child.join();
  return tripMetrics(micros);
}

/** Sends the same buffer again and again, blocking. */
export function flood(end: PipeConnection, count: number, bytes: number): void {
  const message = new Uint8Array(bytes).fill(1);
  end.recvSync();
  for (let n = 0; n < count; n++) end.sendBytesSync(message);
}

/** Puts the same array again and again, blocking. */
export function putAll(queue: Queue<Uint8Array>, go: Queue<true>, count: number, bytes: number): void {
  const item = new Uint8Array(bytes).fill(1);
  go.getSync();
  for (let n = 0; n < count; n++) queue.putSync(item);
}

/** Moves large arrays through a Queue: lent where they lie, or each into memory of its own. */
export async function observeArrays(mode: Mode, bytes: number, isLent: boolean): Promise<Observation> {
  // As many bytes wait unread as in the pipe, and at the least one array besides the one that is written.
  const queue = new Queue<Uint8Array>({ maxItems: Math.max(2, (4 * 2 ** 20) / bytes) });
  const go = new Queue<true>();
  const count = Math.max(16, countsOf(mode).volumeBytes / bytes);
  const child = await start(putAll, [queue, go, count, bytes]);
  const check = (item: Uint8Array): void => {
    if (item.length !== bytes || item[bytes - 1] !== 1) throw new Error('an item is not whole');
  };
  await go.put(true);
  const began = performance.now();
  for (let n = 0; n < count; n++) {
    if (!isLent) {
      check(queue.getSync());
      continue;
    }
    const loan = queue.getSync({ zeroCopy: true });
    check(loan.value);
    loan.close();
  }
  const metrics = mebibytes(count, bytes, performance.now() - began);
  await child.join();
  return { metrics };
}

/** Moves large buffers one way, each into memory of its own, or all into the same. */
export async function observeVolume(mode: Mode, bytes: number, isInto = false): Promise<Observation> {
  const count = Math.max(4, countsOf(mode).volumeBytes / bytes);
  const [own, other] = Pipe();
  const child = await start(flood, [other, count, bytes]);
  await own.send('go');
  const began = performance.now();
  const buffer = new Uint8Array(isInto ? bytes : 0);
  for (let n = 0; n < count; n++) {
    const length = isInto ? own.recvBytesIntoSync(buffer) : own.recvBytesSync().byteLength;
    if (length !== bytes) throw new Error('a message is not whole');
  }
  const metrics = mebibytes(count, bytes, performance.now() - began);
  await child.join();
  return { metrics };
}
