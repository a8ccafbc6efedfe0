/**
 * Holds when it compiles: what the types of the pool promise. Nothing here is ever run.
 */
import {
  type Context,
  functionIn,
  getContext,
  Pool,
  type PoolStats,
  type SettledItem,
  ThreadPool,
} from '../../src/index.js';
import { type Equal, type IsAny, must } from './exactly.js';

interface User {
  readonly name: string;
}

declare const pool: Pool;
declare function twice(x: number): number;
declare function load(path: string): Promise<User>;
declare function nested(x: number): Promise<Promise<string>>;
declare function join(left: string, right: number, last?: boolean): string;
declare function nothing(): void;
declare function anyCount(...all: readonly number[]): number[];
declare function generic<Value>(value: Value): Value[];
declare const numbers: readonly number[];
declare const later: AsyncIterable<string>;
declare const mixed: Iterable<number | string>;

export async function applyGivesExactlyWhatTheFunctionReturns(): Promise<void> {
  const a = await pool.apply(twice, [1]);
  must<Equal<typeof a, number>>();
  const b = await pool.apply(load, ['x']);
  must<Equal<typeof b, User>>();
  const c = await pool.apply(nested, [1]);
  must<Equal<typeof c, string>>();
  const d = await pool.apply(join, ['a', 1]);
  must<Equal<typeof d, string>>();
  const e = await pool.apply(join, ['a', 1, true]);
  must<Equal<typeof e, string>>();
  const f = await pool.apply(nothing);
  must<Equal<typeof f, void>>();
  const g = await pool.apply((x: number, y: string) => ({ x, y }), [1, 'a']);
  must<Equal<typeof g, { x: number; y: string }>>();
  const h = await pool.apply(async () => ['a'] as const);
  must<Equal<typeof h, readonly ['a']>>();
  const i = await pool.apply(anyCount, [1, 2, 3]);
  must<Equal<typeof i, number[]>>();
  const j = pool.apply(twice, [1]);
  must<Equal<typeof j, Promise<number>>>();
  must<Equal<IsAny<typeof g>, false>>();
}

export function applyRefusesWrongArguments(): void {
  // @ts-expect-error - an argument of the wrong type
  void pool.apply(twice, ['1']);
  // @ts-expect-error - no arguments where one is needed
  void pool.apply(twice);
  // @ts-expect-error - an empty list where one argument is needed
  void pool.apply(twice, []);
  // @ts-expect-error - one argument too many
  void pool.apply(twice, [1, 2]);
  // @ts-expect-error - the last argument is missing
  void pool.apply(join, ['a']);
  // @ts-expect-error - arguments come as a list
  void pool.apply(twice, 1);
  // @ts-expect-error - no function
  void pool.apply('twice', [1]);
  // @ts-expect-error - no function
  void pool.apply(undefined);
  // @ts-expect-error - an argument where none is taken
  void pool.apply(nothing, [1]);
}

export async function mapGivesExactlyWhatTheFunctionReturns(): Promise<void> {
  const a = await pool.map(twice, numbers);
  must<Equal<typeof a, number[]>>();
  const b = await pool.map(load, later);
  must<Equal<typeof b, User[]>>();
  const c = await pool.map((x: number | string) => `${x}`, mixed);
  must<Equal<typeof c, string[]>>();
  const d = await pool.map((x: number) => x > 1, new Set([1, 2]), { chunkSize: 2 });
  must<Equal<typeof d, boolean[]>>();
  const e = await pool.map(([key, value]: readonly [string, number]) => key + value, new Map([['a', 1]]));
  must<Equal<typeof e, string[]>>();
  const f = await pool.map(Number, ['1', '2']);
  must<Equal<typeof f, number[]>>();
  const g = await pool.map((x) => x * 2, numbers);
  must<Equal<typeof g, number[]>>();
  const h = await pool.map(generic<string>, later);
  must<Equal<typeof h, string[][]>>();
  const i = await pool.map(
    async (x: number): Promise<User | undefined> => (x > 1 ? { name: 'n' } : undefined),
    [1],
  );
  must<Equal<typeof i, (User | undefined)[]>>();
  must<Equal<IsAny<(typeof a)[number]>, false>>();
}

export function mapRefusesWrongItems(): void {
  // @ts-expect-error - items of the wrong type
  void pool.map(twice, ['1']);
  // @ts-expect-error - only some items are of the right type
  void pool.map(twice, mixed);
  // @ts-expect-error - no items
  void pool.map(twice);
  // @ts-expect-error - nothing to iterate over
  void pool.map(twice, 5);
  // @ts-expect-error - a function of two arguments gets one item
  void pool.map(join, ['a']);
  // @ts-expect-error - no such option
  void pool.map(twice, numbers, { chunksize: 2 });
  // @ts-expect-error - bufferItems is of streams
  void pool.map(twice, numbers, { bufferItems: 2 });
  // @ts-expect-error - a number
  void pool.map(twice, numbers, { chunkSize: '2' });
}

export async function streamsGiveExactlyWhatTheFunctionReturns(): Promise<void> {
  const a = pool.imap(twice, numbers);
  must<Equal<typeof a, AsyncIterableIterator<number>>>();
  const b = pool.imapUnordered(load, later, { chunkSize: 1, bufferItems: 4 });
  must<Equal<typeof b, AsyncIterableIterator<User>>>();
  const c = pool.imapSettled(load, later, { unordered: true });
  must<Equal<typeof c, AsyncIterableIterator<SettledItem<User>>>>();
  for await (const item of c) {
    must<Equal<typeof item.index, number>>();
    if (item.status === 'fulfilled') must<Equal<typeof item.value, User>>();
    else must<Equal<typeof item.reason, unknown>>();
  }
  for await (const user of b) must<Equal<typeof user, User>>();
  // @ts-expect-error - items of the wrong type
  pool.imap(twice, later);
  // @ts-expect-error - items of the wrong type
  pool.imapUnordered(load, numbers);
  // @ts-expect-error - items of the wrong type
  pool.imapSettled(load, numbers);
  // @ts-expect-error - imap is ordered
  pool.imap(twice, numbers, { unordered: true });
}

export async function functionInKeepsTheTypeItIsGiven(): Promise<void> {
  const far = functionIn<typeof join>('file:///srv/tasks.js', 'join');
  const a = await pool.apply(far, ['a', 1]);
  must<Equal<typeof a, string>>();
  const b = await pool.map(functionIn<typeof load>(new URL('file:///srv/tasks.js'), 'load'), later);
  must<Equal<typeof b, User[]>>();
  // @ts-expect-error - arguments of the wrong type
  void pool.apply(far, [1, 'a']);
  const c = await functionIn('file:///srv/tasks.js')();
  must<Equal<typeof c, unknown>>();
  must<Equal<IsAny<typeof c>, false>>();
}

export async function poolsAreMadeAndEnded(): Promise<void> {
  await using made = new Pool(2, { name: 'x', startMethod: 'spawn', retries: 1, taskTimeoutMs: 5 });
  new Pool();
  // @ts-expect-error - a number
  new Pool('2');
  // @ts-expect-error - no such method
  new Pool(2, { startMethod: 'clone' });
  // @ts-expect-error - numbers carry their unit: taskTimeoutMs
  new Pool(2, { taskTimeout: 5 });
  // @ts-expect-error - what is undefined is left out
  new Pool(2, { retries: undefined });
  const stats = made.stats();
  must<Equal<typeof stats, PoolStats>>();
  // @ts-expect-error - a snapshot
  stats.workers = 3;
  const closed = made.close();
  must<Equal<typeof closed, Promise<void>>>();
  await made.join({ timeoutMs: 5, signal: AbortSignal.timeout(5) });
  const context = getContext('fork');
  must<Equal<typeof context, Context>>();
  const own = new context.Pool(1);
  const a = await own.apply(twice, [2]);
  must<Equal<typeof a, number>>();
  // @ts-expect-error - no such method
  getContext('clone');
}

export async function poolsOfThreadsAreMadeAndUsed(): Promise<void> {
  await using pool = new ThreadPool(2, { name: 'x', retries: 1, resourceLimits: { stackSizeMb: 2 } });
  // @ts-expect-error - threads are not started as processes are
  new ThreadPool(2, { startMethod: 'fork' });
  // @ts-expect-error - they share the memory of their process
  new ThreadPool(2, { memoryBudgetBytes: 5 });
  const a = await pool.map(twice, [1], { retries: 2, taskTimeoutMs: 5 });
  must<Equal<typeof a, number[]>>();
  const { threadIds } = pool.stats();
  must<Equal<typeof threadIds, readonly number[]>>();
  // @ts-expect-error - a stream is never run again
  pool.stream(() => [1], [], { retries: 1 });
}
