import type { Member } from '../../arena/member.js';
import { INITIALIZING } from '../../arena/progress.js';
import { WorkerLink, type WorkerSettings } from './worker-link.js';

/** Workers that may die one after another, before they came up, until the pool gives up: this many for each worker. */
const STILLBORN_PER_WORKER = 3;
/** Initializers that may end their process one after another, until the pool gives up for good. */
const INITIALIZER_DEATHS = 3;

/** What a crew tells the pool. */
export interface CrewHooks {
  /** A worker has come, or can be given tasks. */
  changed(): void;
  /** Take what `link` has sent. */
  read(link: WorkerLink): void;
  /** A worker is gone, what it had still in its link. */
  ended(link: WorkerLink): void;
  /** Workers do not come up, `cause` says more; `isFinal` when they never will. */
  gaveUp(cause: unknown, isFinal: boolean): void;
}

/** The workers of a pool: as many as wanted, the dead replaced, the superfluous sent home. */
export class Crew {
  readonly #member: Member;
  readonly #settings: WorkerSettings;
  readonly #hooks: CrewHooks;
  readonly links: Set<WorkerLink> = new Set();
  #stillborn = 0;
  #initializerDeaths = 0;
  #wanted = 0;
  /** Workers did not come up: none is started before there is new work. */
  #isHeldBack = false;
  /** Workers that ended before they were told to. */
  lost = 0;
  /** Workers started so far. */
  started = 0;
  isEnded = false;

  constructor(member: Member, settings: WorkerSettings, hooks: CrewHooks) {
    this.#member = member;
    this.#settings = settings;
    this.#hooks = hooks;
  }

  /** Workers that are not about to end. */
  get staying(): number {
    let count = 0;
    for (const link of this.links) if (!link.isRetiring && !link.isStopping) count++;
    return count;
  }

  /** Workers that are initialized. */
  get up(): number {
    let count = 0;
    // What a worker says may arrive before its start has answered.
    for (const link of this.links) if (link.isUp && link.body !== undefined) count++;
    return count;
  }

  /** Starts workers until there are `wanted`. */
  replenish(wanted: number): void {
    if (this.isEnded || this.#isHeldBack) return;
    this.#wanted = wanted;
    for (let missing = wanted - this.staying; missing > 0; missing--) this.#addWorker();
  }

  /** There is new work: workers are tried again, although the last ones did not come up. */
  revive(): void {
    this.#isHeldBack = false;
  }

  /** Sends workers home until there are `wanted`, idle ones first. Busy ones finish what they have. */
  shrink(wanted: number): void {
    const staying = [...this.links].filter((link) => !link.isRetiring && !link.isStopping);
    staying.sort((a, b) => a.outstanding.size - b.outstanding.size);
    for (const link of staying.slice(0, Math.max(0, staying.length - wanted))) this.retire(link);
  }

  /** `link` gets no further task, and ends once it is through. */
  retire(link: WorkerLink): void {
    link.isRetiring = true;
    link.stop();
  }

  /** Tells the workers that have nothing to do to end. */
  stopAll(): void {
    for (const link of this.links) link.stop();
  }

  /** Tells those to end that were to be told and had no room for it. */
  payDebts(): void {
    for (const link of this.links) if (link.isRetiring) link.stop();
  }

  /** A worker has come up. */
  cameUp(link: WorkerLink): void {
    link.isUp = true;
    link.idleSince = performance.now();
    this.#stillborn = 0;
    this.#initializerDeaths = 0;
  }

  look(): void {
    for (const link of this.links) link.body?.look();
  }

  #addWorker(): void {
    this.started++;
    const link = new WorkerLink(this.#member, this.#settings);
    this.links.add(link);
    link.start().then(
      (body) => {
        body.onOver(() => this.#onEnd(link));
        if (this.isEnded) body.signal('SIGTERM');
        this.#hooks.changed();
      },
      (error: unknown) => this.#onEnd(link, error),
    );
  }

  #onEnd(link: WorkerLink, startError?: unknown): void {
    // Whether it ever came up stands there, too.
    this.#hooks.read(link);
    this.links.delete(link);
    const isExpected = link.isStopping || link.isRetiring || this.isEnded;
    const isInitializing = !link.isUp && link.progress.item === INITIALIZING;
    const verdict = isExpected ? undefined : this.#judge(link, isInitializing);
    this.#hooks.ended(link);
    link.dispose();
    if (verdict !== undefined) this.#hooks.gaveUp(startError ?? link.body?.exitCode, verdict === 'final');
  }

  /** Counts an end that nobody wanted; answers whether it was one too many. */
  #judge(link: WorkerLink, isInitializing: boolean): 'for now' | 'final' | undefined {
    this.lost++;
    if (link.isUp) return undefined;
    if (isInitializing) {
      this.#initializerDeaths++;
      return this.#initializerDeaths >= INITIALIZER_DEATHS ? 'final' : undefined;
    }
    this.#stillborn++;
    if (this.#stillborn <= STILLBORN_PER_WORKER * Math.max(1, this.#wanted)) return undefined;
    this.#stillborn = 0;
    this.#isHeldBack = true;
    return 'for now';
  }
}
