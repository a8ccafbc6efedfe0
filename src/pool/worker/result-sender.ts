import { ResultJournal } from '../../arena/journal.js';
import type { Member } from '../../arena/member.js';
import { isCurrent } from '../../arena/slots.js';
import { MessageWriter } from '../../channel/message-pipe.js';
import { recordError } from '../../wire/errors.js';
import { type Inbox, Outbox, pack } from '../../wire/family-message.js';
import { copyMessage } from '../../wire/handles.js';
import { DONE, RETURNED, THREW, UP, VALUES, YIELDED } from '../messages.js';
import type { WorkerPlaces } from './worker.js';

/** A worker that waits for room in its pipe looks this often whether its parent is still there. */
const PARENT_CHECK_MS = 1000;
/** Results of single calls that are sent together at the most. */
const BATCH = 64;
/** Finished results are sent at least this often, so that nobody waits long for them. */
const PARTIAL_MS = 20;

/**
 * Sends the results of a worker, in batches.
 *
 * No result may be lost with its worker, or be late for the item after it: a small one is journalled before that begins (see
 * arena/journal.ts), any other one is put into the pipe by then. The parent looks there; see dispatch/late-results.ts.
 */
export class ResultSender {
  readonly #member: Member;
  readonly #places: WorkerPlaces;
  readonly #pipe: MessageWriter;
  readonly #journal: ResultJournal;
  #calls: unknown[] = [RETURNED, 0];
  #lastCall = 0;
  #callsBegan = 0;
  #number = 0;
  #start = 0;
  #values: unknown[] = [];
  #chunkBegan = 0;
  #sentAt = 0;

  readonly #leave: () => never;
  readonly #inbox: Inbox;
  readonly #outbox = new Outbox();

  /**
   * @param inbox - Knows whom the results are for.
   * @param leave - Ends the worker, whose parent is gone.
   */
  constructor(member: Member, places: WorkerPlaces, inbox: Inbox, leave: () => never) {
    this.#inbox = inbox;
    this.#leave = leave;
    this.#member = member;
    this.#places = places;
    this.#pipe = new MessageWriter(member, places.parent, places.resultsAt);
    this.#journal = new ResultJournal(member.arena, places.progressAt);
  }

  /** The worker is ready for tasks, or its initializer threw. */
  up(error: unknown): void {
    this.#send([UP, error === undefined ? null : recordError(error)]);
    this.#pipe.flush();
  }

  /** A single call begins. */
  callBegins(): void {
    if (this.#calls.length === 2) this.#callsBegan = performance.now();
  }

  /** The call waits for something: what others have finished must not wait for it. */
  callWaits(): void {
    this.flush();
    this.#callsBegan = performance.now();
  }

  returned(number: number, value: unknown): void {
    const isNext = number === this.#lastCall + 1;
    if (!isNext && this.#calls.length > 2) this.#sendCalls();
    this.#lastCall = number;
    this.#calls.push(number, value);
    const isKept = this.#journal.note(number, 0, value);
    if (!isKept || this.#calls.length >= 2 + 2 * BATCH) this.#sendCalls();
    else if (this.#places.isTraced || performance.now() - this.#callsBegan > PARTIAL_MS) this.flush();
  }

  threw(number: number, index: number, error: unknown): void {
    this.#sendCalls();
    this.#send([THREW, number, index, recordError(error)]);
  }

  yielded(number: number, value: unknown): void {
    try {
      this.#send([YIELDED, number, [value]]);
    } catch (error) {
      // By itself, so that the refusal names the path within the value.
      pack(value, 'result', this.#inbox.peer);
      throw error;
    }
    this.#pipe.flush();
  }

  chunkBegins(number: number): void {
    this.flush();
    this.#number = number;
    this.#start = 0;
    this.#chunkBegan = performance.now();
    this.#sentAt = this.#chunkBegan;
  }

  /** Item `index` of the chunk returned. */
  itemReturned(index: number, value: unknown): void {
    this.#values.push(value);
    if (!this.#journal.note(this.#number, index, value)) this.#sendValues(VALUES);
    else if ((index & 15) === 15 && performance.now() - this.#sentAt > PARTIAL_MS) {
      this.#sendValues(VALUES);
      this.#pipe.flush();
    }
  }

  itemThrew(index: number, error: unknown): void {
    if (this.#values.length > 0) this.#sendValues(VALUES);
    this.#send([THREW, this.#number, index, recordError(error)]);
    this.#start = index + 1;
  }

  chunkEnds(): void {
    this.#sendValues(DONE);
    this.#pipe.flush();
  }

  /** Sends what calls have returned, and wakes the parent. */
  flush(): void {
    this.#sendCalls();
    this.#pipe.flush();
  }

  /** The process ends by itself in the middle of a task: what was finished before must not be lost. */
  lastFlush(): void {
    this.#sendCalls();
    if (this.#values.length > 0) this.#sendValues(VALUES);
    this.#pipe.flush();
  }

  #sendCalls(): void {
    if (this.#calls.length === 2) return;
    const batch = this.#calls;
    this.#calls = [RETURNED, 0];
    batch[1] = performance.now() - this.#callsBegan;
    try {
      this.#send(batch);
    } catch {
      // One of the results cannot be sent: that one alone fails.
      for (let i = 2; i < batch.length; i += 2) {
        const number = batch[i] as number;
        this.#sendOrRefuse(number, 0, batch[i + 1], [RETURNED, batch[1], number, batch[i + 1]]);
      }
    }
    this.#journal.clear();
    this.#callsBegan = performance.now();
  }

  #sendValues(kind: typeof VALUES | typeof DONE): void {
    const [number, start, values] = [this.#number, this.#start, this.#values];
    this.#values = [];
    this.#start = start + values.length;
    this.#sentAt = performance.now();
    const elapsedMs = kind === DONE ? this.#sentAt - this.#chunkBegan : 0;
    try {
      this.#send([kind, number, start, values, elapsedMs]);
    } catch {
      values.forEach((value, at) => {
        this.#sendOrRefuse(number, start + at, value, [VALUES, number, start + at, [value]]);
      });
      if (kind === DONE) this.#send([DONE, number, start + values.length, [], elapsedMs]);
    }
    this.#journal.clear();
  }

  #sendOrRefuse(number: number, index: number, value: unknown, message: readonly unknown[]): void {
    try {
      // Packed by itself first, so that a refusal names the path within the result.
      pack(value, 'result', this.#inbox.peer);
      this.#send(message);
    } catch (error) {
      this.#send([THREW, number, index, recordError(error)]);
    }
  }

  #send(message: readonly unknown[]): void {
    this.#sendBytes(this.#outbox.seal(pack(message, 'result', this.#inbox.peer)));
  }

  /** Waits for room if there is none: results are never dropped. The parent reads whenever its loop turns. */
  #sendBytes(bytes: Uint8Array): void {
    if (this.#pipe.trySend(bytes)) return;
    // The view may lie in a buffer that is used again while this waits.
    const own = copyMessage(bytes);
    let isSent = false;
    while (!isSent) {
      this.#pipe.flush();
      this.#member.parking.blockUntil(() => {
        this.#pipe.askForRoom();
        isSent ||= this.#pipe.trySend(own);
        return isSent;
      }, PARENT_CHECK_MS);
      if (!isSent && !isCurrent(this.#member.arena, this.#places.parent)) this.#leave();
    }
  }
}
