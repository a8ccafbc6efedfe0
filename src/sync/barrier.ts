import type { Arena } from '../arena/arena.js';
import { KIND } from '../arena/layout.js';
import type { Handle } from '../arena/local-handles.js';
import type { WaitOptions } from '../arena/parking.js';
import {
  arrivals,
  arrive,
  barrierBytes,
  breakRound,
  currentRound,
  deadParty,
  initBarrier,
  isBroken,
  outcomeOf,
  partiesOf,
  passRound,
  resetBarrier,
} from '../arena/primitives/barrier-words.js';
import { joinWaiters, leaveWaiters } from '../arena/primitives/wait-set.js';
import { me, openHandleOf, SharedObject, takeBlock } from '../arena/shared-object.js';
import { pidOf } from '../arena/slots.js';
import type { SyncWaitOptions } from '../arena/waiting.js';
import { Arrivals, checkedTimeout, type Gate, passGate, passGateSync } from '../arena/waiting.js';
import { BrokenBarrierError, UsageError } from '../base/errors.js';
import {
  type AnyFunction,
  describeFunction,
  type FunctionDescriptor,
  loadFunction,
} from '../wire/functions.js';
import { registerHandleKind } from '../wire/handles.js';

/** What a barrier is doing, at the moment of the call. */
export interface BarrierStats {
  readonly parties: number;
  /** Processes that have arrived in this round, once for each party. */
  readonly arrivedPids: readonly number[];
  readonly broken: boolean;
  /** Process id of the party whose death broke it; `null` if none did. */
  readonly deadPid: number | null;
}

/** Options of a barrier. */
export interface BarrierOptions {
  /**
   * Called once for each round by the party that arrives last, before anybody goes on. Must not wait. It travels with the barrier, and so
   * must be a function that can.
   */
  readonly action?: () => void;
  /** Longest wait in milliseconds where `wait` names none. Default `Infinity`. */
  readonly timeoutMs?: number;
}

const WAITING = 'Waiting at the barrier';
const MAX_PARTIES = 8000;

/**
 * A place where a number of parties wait for each other, round after round.
 *
 * It breaks when a party gives up its wait, calls `abort()` or dies: all who wait get a {@link BrokenBarrierError}, which names the dead.
 * A process counts as a party as long as it has the barrier open: killed, it breaks it; ended in an orderly way, it does not.
 *
 * @example
 * const barrier = new Barrier(2);
 * const places = await Promise.all([barrier.wait(), barrier.wait()]);
 * places; // => [0, 1]
 */
export class Barrier extends SharedObject {
  readonly #arrivals: Arrivals;
  readonly #timeoutMs: number;
  /** Of an action that came with a message. */
  readonly #descriptor: FunctionDescriptor | undefined;
  #action: AnyFunction | undefined;

  /**
   * @param parties - How many wait for each other, from 1.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
   */
  constructor(parties: number, options?: BarrierOptions);
  /** @internal */
  constructor(parties: number, options: BarrierOptions, revived: BarrierParts, handle: Handle);
  constructor(parties: number, options: BarrierOptions = {}, revived?: BarrierParts, handle?: Handle) {
    super(handle ?? makeBarrier(parties, options));
    const { local } = this.handle;
    local.shared ??= new Arrivals();
    this.#arrivals = local.shared as Arrivals;
    this.#action = options.action as AnyFunction | undefined;
    this.#timeoutMs = revived?.timeoutMs ?? checkedTimeout(options.timeoutMs, 'Making a barrier');
    this.#descriptor = revived?.action;
    leaveAtExit(this);
  }

  /** How many parties wait for each other. */
  get parties(): number {
    return partiesOf(this.arena, this.open('Asking the barrier'));
  }

  /** How many have arrived in this round. */
  get nWaiting(): number {
    const word = this.open('Asking the barrier');
    return isBroken(this.arena, word) ? 0 : arrivals(this.arena, word).length;
  }

  /** Whether it is broken. */
  get broken(): boolean {
    return isBroken(this.arena, this.open('Asking the barrier'));
  }

  /**
   * Resolves once all parties have arrived, with this one's number in the round: 0 for the first, up to one less than there are parties.
   *
   * @param options.timeoutMs - Longest wait in milliseconds; after it the barrier breaks for all. Default: the constructor's.
   * @param options.signal - Aborting it breaks the barrier and rejects with its reason.
   * @throws {@link BrokenBarrierError} `ERR_FURCA_BARRIER_BROKEN`.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  async wait(options: WaitOptions = {}): Promise<number> {
    const word = this.open(WAITING);
    const timeoutMs = checkedTimeout(options.timeoutMs ?? this.#timeoutMs, WAITING);
    options.signal?.throwIfAborted();
    if (this.#descriptor !== undefined) this.#action ??= await loadFunction(this.#descriptor);
    const stay = new Stay(this, word, this.#arrivals, this.#action);
    try {
      await passGate(stay.gate, WAITING, { ...options, timeoutMs });
    } catch (error) {
      stay.giveUp();
      if (options.signal?.aborted) throw error;
    }
    return stay.leave();
  }

  /**
   * As {@link Barrier.wait}, but blocks this thread; its event loop stands still meanwhile.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_STATE`: the action came with a message and was not loaded here yet; `wait()` loads it.
   */
  waitSync(options: SyncWaitOptions = {}): number {
    const word = this.open(WAITING);
    const timeoutMs = checkedTimeout(options.timeoutMs ?? this.#timeoutMs, WAITING);
    if (this.#descriptor !== undefined && this.#action === undefined) {
      throw new UsageError(
        `${WAITING} failed: its action has to be loaded first. Call \`await barrier.load()\` before.`,
        'ERR_FURCA_INVALID_STATE',
      );
    }
    const stay = new Stay(this, word, this.#arrivals, this.#action);
    try {
      passGateSync(stay.gate, WAITING, timeoutMs);
    } catch {
      stay.giveUp();
    }
    return stay.leave();
  }

  /** Loads the action that came with a message, so that `waitSync` can run it. */
  async load(): Promise<void> {
    if (this.#descriptor !== undefined) this.#action ??= await loadFunction(this.#descriptor);
  }

  /** Breaks the barrier: all who wait, and who come later, get a {@link BrokenBarrierError}. */
  abort(): void {
    const word = this.open('Aborting the barrier');
    breakRound(this.arena, word, currentRound(this.arena, word), 0);
  }

  /** Makes a broken barrier usable again; who waits at the moment gets a {@link BrokenBarrierError}. */
  reset(): void {
    resetBarrier(this.arena, this.open('Resetting the barrier'));
  }

  /** Who has arrived, and whether it is broken. */
  stats(): BarrierStats {
    const word = this.open('Asking the barrier');
    const dead = deadParty(this.arena, word);
    return Object.freeze({
      parties: partiesOf(this.arena, word),
      arrivedPids: arrivals(this.arena, word).map((owner) => pidOf(this.arena, owner)),
      broken: isBroken(this.arena, word),
      deadPid: dead === 0 ? null : dead,
    });
  }

  /** @internal */
  get parts(): BarrierParts {
    const own = this.#action === undefined ? undefined : describeFunction(this.#action, 'action');
    return { timeoutMs: this.#timeoutMs, action: this.#descriptor ?? own };
  }

  /** @internal */
  get memory(): Arena {
    return this.arena;
  }
}

/** What of a barrier travels besides its block. */
interface BarrierParts {
  readonly timeoutMs: number;
  readonly action: FunctionDescriptor | undefined;
}

/** One party's stay at a barrier, from its arrival to the end of the round. */
class Stay {
  readonly #barrier: Barrier;
  readonly #word: number;
  readonly #action: AnyFunction | undefined;
  #round = -1;
  #place = -1;
  #failure: unknown;
  readonly gate: Gate;

  constructor(barrier: Barrier, word: number, others: Arrivals, action: AnyFunction | undefined) {
    this.#barrier = barrier;
    this.#word = word;
    this.#action = action;
    const arena = barrier.memory;
    const pass = (): boolean => this.#pass();
    this.gate = {
      tryPass: pass,
      pass,
      arrive: () => {
        if (others.add()) joinWaiters(arena, word, me());
      },
      leave: () => {
        if (others.remove()) leaveWaiters(arena, word, me());
      },
    };
  }

  #pass(): boolean {
    const arena = this.#barrier.memory;
    if (this.#place === -1) {
      this.#round = currentRound(arena, this.#word);
      if (isBroken(arena, this.#word)) return true;
      this.#place = arrive(arena, this.#word, this.#round, me());
      // Full: this party is one too many, and belongs to the next round.
      if (this.#place === -1) return false;
      if (this.#place === partiesOf(arena, this.#word) - 1) this.#complete();
    }
    return outcomeOf(arena, this.#word, this.#round) !== undefined;
  }

  /** As the last to arrive: nobody else can end this round well. */
  #complete(): void {
    const arena = this.#barrier.memory;
    try {
      (this.#action as (() => void) | undefined)?.();
      passRound(arena, this.#word, this.#round);
    } catch (error) {
      this.#failure = error;
      breakRound(arena, this.#word, this.#round, 0);
    }
  }

  giveUp(): void {
    const arena = this.#barrier.memory;
    breakRound(arena, this.#word, this.#place === -1 ? currentRound(arena, this.#word) : this.#round, 0);
  }

  leave(): number {
    const arena = this.#barrier.memory;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#place !== -1 && outcomeOf(arena, this.#word, this.#round) === 'passed') return this.#place;
    const dead = deadParty(arena, this.#word);
    const why =
      dead === 0 ? 'a party gave up, or it was aborted or reset' : `its party with pid ${dead} died`;
    throw new BrokenBarrierError(
      `${WAITING} failed: ${why}. Call reset() to use it again.`,
      dead === 0 ? null : dead,
    );
  }
}

function makeBarrier(parties: number, { action }: BarrierOptions): Handle {
  if (!Number.isInteger(parties) || parties < 1 || parties > MAX_PARTIES) {
    throw new UsageError(
      `Making a barrier failed: ${parties} is no number of parties. Use 1 to ${MAX_PARTIES}.`,
    );
  }
  if (action !== undefined && typeof action !== 'function') {
    throw new UsageError('Making a barrier failed: action must be a function.');
  }
  const { arena, handle } = takeBlock(KIND.BARRIER, barrierBytes(parties));
  initBarrier(arena, handle.word, parties);
  return handle;
}

/** The barriers of this process, so that it can let go of them when it ends in an orderly way. */
const open = new Set<WeakRef<Barrier>>();
const collected = new FinalizationRegistry<WeakRef<Barrier>>((reference) => open.delete(reference));
let isHooked = false;

function leaveAtExit(barrier: Barrier): void {
  const reference = new WeakRef(barrier);
  open.add(reference);
  collected.register(barrier, reference);
  if (isHooked) return;
  isHooked = true;
  process.on('exit', () => {
    for (const one of open) one.deref()?.close();
  });
}

registerHandleKind<Barrier>(Barrier, {
  id: KIND.BARRIER,
  handleOf: openHandleOf,
  partsOf: ({ parts }) => parts,
  revive: (handle, parts) => new Barrier(1, {}, parts as BarrierParts, handle),
});
