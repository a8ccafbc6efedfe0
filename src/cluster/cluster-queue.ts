import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { WaitOptions } from '../arena/parking.js';
import { decode, encode } from '../wire/codec.js';
import { connect, isOfConnection, loadEngine } from './engine.js';
import { clusterClosed, noItem, notAuthentic } from './failures.js';
import { checkedName } from './names.js';
import { checkedConnection, whole } from './options.js';
import type { ClusterConnection } from './pool-options.js';
import { checkedKey, Seal } from './sealing.js';

/**
 * Options of {@link ClusterQueue}.
 *
 * @example
 * const options: ClusterQueueOptions = { connection, name: queue, visibilityTimeoutMs: 60_000 };
 * await using letters = new ClusterQueue<string>(options);
 * await letters.put('kel');
 * (await letters.get()).value; // => 'kel'
 */
export interface ClusterQueueOptions {
  /** Where the engine is, as for {@link ClusterPool}. */
  readonly connection: string | ClusterConnection;
  /** Name of the queue: letters, digits, dot, dash and underscore. */
  readonly name: string;
  /** At least 16 bytes, the same for all: items are signed with it. Default none. */
  readonly key?: string | Uint8Array;
  /** An item that was not acknowledged for so long, in milliseconds, is given to somebody else. Default 30,000. */
  readonly visibilityTimeoutMs?: number;
}

/**
 * An item that was got, until it is acknowledged.
 *
 * @example
 * await using letters = new ClusterQueue<string>({ connection, name: queue });
 * await letters.put('kel');
 * const item: ClusterItem<string> = await letters.get();
 * [item.value, item.deliveries]; // => ['kel', 1]
 * await letters.ack(item); // => true
 */
export interface ClusterItem<Item> {
  readonly value: Item;
  /** Name of the item in the queue; the same when it is given out again. */
  readonly id: string;
  /** How often it has been given out, from 1. */
  readonly deliveries: number;
}

/**
 * A snapshot of a {@link ClusterQueue}.
 *
 * @example
 * await using letters = new ClusterQueue<string>({ connection, name: queue });
 * await letters.put('kel');
 * await letters.put('ada');
 * await letters.get();
 * const stats: ClusterQueueStats = await letters.stats();
 * stats; // => { waiting: 1, unacknowledged: 1 }
 */
export interface ClusterQueueStats {
  /** Items that wait. */
  readonly waiting: number;
  /** Items that somebody has and has not acknowledged. */
  readonly unacknowledged: number;
}

const GROUP = 'readers';
/** Longest wait of one read: the connection is heard from so often, and items of the dead are looked for. */
const BLOCK_MS = 1000;
/** What a cut interrupted is tried again after this time. */
const AGAIN_MS = 100;

/**
 * A queue across machines, on a stream of the engine: whatever was put is got, and got again by somebody else unless it is acknowledged.
 *
 * @example
 * await using letters = new ClusterQueue<string>({ connection, name: queue });
 * await letters.put('kel');
 * await letters.put('ada');
 * const seen: string[] = [];
 * for await (const name of letters) {
 *   seen.push(name);
 *   if (seen.length === 2) break;
 * }
 * seen; // => ['kel', 'ada']
 */
export class ClusterQueue<Item> implements AsyncIterable<Item>, AsyncDisposable {
  readonly #connection: string | ClusterConnection;
  readonly #key: string;
  readonly #seal: Seal;
  readonly #visibilityTimeoutMs: number;
  readonly #reader: string = randomUUID();
  #reached: Promise<{ readonly redis: Redis; readonly blocking: Redis }> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /**
   * Makes an end of the queue; the engine is reached for with the first call.
   *
   * @param options - See {@link ClusterQueueOptions}.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
   */
  constructor(options: ClusterQueueOptions) {
    this.#connection = checkedConnection(options?.connection);
    this.#key = `{furca:${checkedName('name', options.name)}}:queue`;
    this.#seal = new Seal(checkedKey(options.key));
    this.#visibilityTimeoutMs = whole('visibilityTimeoutMs', options.visibilityTimeoutMs ?? 30_000, 1);
  }

  /**
   * Puts `item` at the tail of the queue; resolves once the engine has it. After a cut it may be there twice: who cannot bear that gives
   * items a name of their own.
   *
   * @param item - Data, as for `structuredClone`.
   * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`; {@link UsageError} `ERR_FURCA_MISSING_PACKAGE`; {@link ClosedError}.
   */
  async put(item: Item): Promise<void> {
    this.#assertOpen();
    const bytes = this.#seal.close('item', encode(item, 'item'));
    const { redis } = await this.#reach();
    await redis.xadd(this.#key, '*', 'i', bytes);
  }

  /**
   * The next item; waits for one.
   *
   * @param options.timeoutMs - Longest wait in milliseconds. Default `Infinity`.
   * @param options.signal - Aborting it ends the wait.
   * @returns the item, to be acknowledged by {@link ClusterQueue.ack} within the visibility timeout.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`; {@link ClosedError}; {@link AuthenticationError}: it is not signed with this key; it
   * was taken off the queue.
   */
  get(options: WaitOptions = {}): Promise<ClusterItem<Item>> {
    // One at a time: they share the connection that waits.
    const got = this.#turn.then(() => this.#get(options));
    this.#turn = got.catch(() => {});
    return got;
  }

  async #get({ timeoutMs = Number.POSITIVE_INFINITY, signal }: WaitOptions): Promise<ClusterItem<Item>> {
    const endAt = performance.now() + timeoutMs;
    for (;;) {
      signal?.throwIfAborted();
      this.#assertOpen();
      const left = endAt - performance.now();
      const item = await this.#next(Math.max(0, Math.min(BLOCK_MS, left)));
      if (item !== undefined) return item;
      if (performance.now() >= endAt) throw noItem(timeoutMs);
    }
  }

  /** The next item if there is one; never waits for one. */
  async tryGet(): Promise<ClusterItem<Item> | undefined> {
    this.#assertOpen();
    return await this.#next(0);
  }

  /**
   * The item was dealt with: nobody gets it again.
   *
   * @returns `false` when it was acknowledged already, be it by this call before a cut.
   */
  async ack(item: Pick<ClusterItem<Item>, 'id'>): Promise<boolean> {
    const { redis } = await this.#reach();
    for (;;) {
      try {
        const both = await redis.multi().xack(this.#key, GROUP, item.id).xdel(this.#key, item.id).exec();
        return both?.[0]?.[1] === 1;
      } catch (error) {
        // Both may be repeated, and the client does not do it where the cut was between their answers.
        if (this.#isClosed || !isOfConnection(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  /** Items one after another; each is acknowledged when the next one is asked for, and left to others if the loop throws or is left. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    while (!this.#isClosed) {
      let item: ClusterItem<Item>;
      try {
        item = await this.get();
      } catch (error) {
        if (this.#isClosed) return;
        throw error;
      }
      yield item.value;
      await this.ack(item);
    }
  }

  /** How many items wait, and how many are with somebody. */
  async stats(): Promise<ClusterQueueStats> {
    const { redis } = await this.#reach();
    const all = await redis.xlen(this.#key);
    const [unacknowledged] = (await redis.xpending(this.#key, GROUP)) as unknown as readonly [number];
    return Object.freeze({ waiting: all - unacknowledged, unacknowledged });
  }

  /** Leaves the engine; what was got and not acknowledged goes to others. May be called twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const reached = await this.#reached?.catch(() => undefined);
    reached?.blocking.disconnect();
    await this.#turn;
    if (reached?.redis.status === 'ready') await reached.redis.ping().catch(() => {});
    reached?.redis.disconnect();
  }

  /** Closes this end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #assertOpen(): void {
    if (this.#isClosed) throw clusterClosed('Using the queue');
  }

  #reach(): Promise<{ readonly redis: Redis; readonly blocking: Redis }> {
    this.#reached ??= this.#open();
    return this.#reached;
  }

  async #open(): Promise<{ readonly redis: Redis; readonly blocking: Redis }> {
    const packages = await loadEngine();
    const quiet = (): void => {};
    const redis = connect(packages, this.#connection, quiet);
    const blocking = connect(packages, this.#connection, quiet);
    await this.#makeGroup(redis);
    return { redis, blocking };
  }

  async #makeGroup(redis: Redis): Promise<void> {
    try {
      await redis.xgroup('CREATE', this.#key, GROUP, '0', 'MKSTREAM');
    } catch (error) {
      // Somebody else was first.
      if (!(error as Error).message.startsWith('BUSYGROUP')) throw error;
    }
  }

  async #next(blockMs: number): Promise<ClusterItem<Item> | undefined> {
    const { redis, blocking } = await this.#reach();
    try {
      const left = await this.#leftBehind(redis);
      if (left !== undefined) return left;
      const block = blockMs < 1 ? [] : ['BLOCK', Math.ceil(blockMs)];
      const connection = blockMs < 1 ? redis : blocking;
      const found = (await connection.callBuffer(
        'XREADGROUP',
        ...['GROUP', GROUP, this.#reader, 'COUNT', 1, ...block, 'STREAMS', this.#key, '>'],
      )) as readonly (readonly [Buffer, readonly StreamEntry[]])[] | null;
      const entry = found?.[0]?.[1][0];
      return entry === undefined ? undefined : await this.#unpack(entry, 1);
    } catch (error) {
      const { message } = error as Error;
      if (this.#isClosed) return this.#assertOpen() as undefined;
      // The engine has lost the group: it is made anew, with everything that is there.
      if (message.startsWith('NOGROUP')) await this.#makeGroup(redis);
      else if (!isOfConnection(error)) throw error;
      return undefined;
    }
  }

  /** An item that somebody had and did not acknowledge in time. */
  async #leftBehind(redis: Redis): Promise<ClusterItem<Item> | undefined> {
    const idle = this.#visibilityTimeoutMs;
    const pending = (await redis.xpending(
      this.#key,
      GROUP,
      'IDLE',
      idle,
      '-',
      '+',
      1,
    )) as readonly (readonly [string, string, number, number])[];
    const [id, , , deliveries] = pending[0] ?? [];
    if (id === undefined || deliveries === undefined) return undefined;
    const claimed = (await redis.callBuffer(
      'XCLAIM',
      ...[this.#key, GROUP, this.#reader, idle, id],
    )) as readonly (StreamEntry | null)[];
    const entry = claimed[0];
    // Somebody else was faster, or it was acknowledged.
    return entry === undefined || entry === null ? undefined : await this.#unpack(entry, deliveries + 1);
  }

  async #unpack([id, fields]: StreamEntry, deliveries: number): Promise<ClusterItem<Item>> {
    const name = id.toString();
    const opened = this.#seal.open('item', fields[1] ?? new Uint8Array());
    try {
      if (opened.bytes !== undefined) return { value: decode(opened.bytes) as Item, id: name, deliveries };
    } catch {
      // Damaged: as bad as not signed.
    }
    // It would come again for ever.
    await this.ack({ id: name });
    throw notAuthentic(`item ${name} of the queue is damaged, or not signed with this key`);
  }
}

type StreamEntry = readonly [Buffer, readonly Buffer[]];
