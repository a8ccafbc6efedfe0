import type { Arena } from '../arena.js';
import { BARRIER } from '../layout.js';
import type { OwnerId } from '../slots.js';
import { leaveWaiters, wakeAll } from './wait-set.js';

/**
 * A barrier. Each party that arrives takes the lowest place that nobody has taken in this round, by one exchange of owner and round
 * together: so an arrival belongs to exactly one round, and who takes the last place is the one to end it. Nothing has to be cleared
 * between rounds.
 *
 * ```
 * FILLING(r) ──the last party has run the action──▶ FILLING(r + 1)
 *     └── a party gives up or dies, abort ──▶ BROKEN(r) ──reset──▶ FILLING(r + 1)
 * ```
 */

const FILLING = 0;
const BROKEN = 1;
const PHASE_BITS = 2;

/** How a round ended for those who were in it. */
export type RoundEnd = 'passed' | 'broken';

export function barrierBytes(parties: number): number {
  return (BARRIER.FIRST_ARRIVAL + 2 * parties) * 4;
}

export function initBarrier(arena: Arena, word: number, parties: number): void {
  Atomics.store(arena.words, word + BARRIER.PARTIES, parties);
}

export function partiesOf(arena: Arena, word: number): number {
  return arena.words[word + BARRIER.PARTIES] as number;
}

function stateOf(arena: Arena, word: number): number {
  return Atomics.load(arena.words, word + BARRIER.STATE);
}

/** Number of the round that is on. */
export function currentRound(arena: Arena, word: number): number {
  return stateOf(arena, word) >> PHASE_BITS;
}

export function isBroken(arena: Arena, word: number): boolean {
  return (stateOf(arena, word) & 3) === BROKEN;
}

/** Pid of the party whose death broke the barrier, 0 if none did. */
export function deadParty(arena: Arena, word: number): number {
  return Atomics.load(arena.words, word + BARRIER.DEAD_PID);
}

/** Owner and round of place `index`, as one 64-bit number: the round above. Rounds are stored plus one, so that 0 is before all. */
function arrivalPair(word: number, index: number): number {
  return (word + BARRIER.FIRST_ARRIVAL) / 2 + index;
}

function roundAt(seen: bigint): number {
  return Number(seen >> 32n) - 1;
}

function ownerAt(seen: bigint): OwnerId {
  return Number(seen & 0xffffffffn);
}

/**
 * Takes a place in round `round`; answers its number. -1 when the barrier is broken, and when all places of that round are taken: it
 * ends any moment.
 */
export function arrive(arena: Arena, word: number, round: number, me: OwnerId): number {
  const { pairs } = arena;
  const parties = partiesOf(arena, word);
  const mine = (BigInt(round + 1) << 32n) | BigInt(me);
  for (let index = 0; index < parties; index++) {
    const at = arrivalPair(word, index);
    const seen = Atomics.load(pairs, at);
    // A place of a later round says that this one is over; the caller then finds a new state.
    if (roundAt(seen) < round && Atomics.compareExchange(pairs, at, seen, mine) === seen) return index;
  }
  return -1;
}

/** Ends the round as it should; `false` when it was broken before. */
export function passRound(arena: Arena, word: number, round: number): boolean {
  return endRound(arena, word, round, FILLING, 'passed');
}

/** Breaks the round `round` if it is still on; `deadPid` names the party that died, if that is why. */
export function breakRound(arena: Arena, word: number, round: number, deadPid: number): boolean {
  const state = round << PHASE_BITS;
  if (deadPid !== 0 && stateOf(arena, word) === (state | FILLING))
    Atomics.store(arena.words, word + BARRIER.DEAD_PID, deadPid);
  const isDone =
    Atomics.compareExchange(arena.words, word + BARRIER.STATE, state | FILLING, state | BROKEN) ===
    (state | FILLING);
  wakeAll(arena, word);
  return isDone;
}

/** Begins a new round; who was in the one before gets it as broken. */
export function resetBarrier(arena: Arena, word: number): void {
  for (;;) {
    const state = stateOf(arena, word);
    const round = state >> PHASE_BITS;
    // A fresh round in which nobody has arrived is as good as a new one.
    if ((state & 3) === FILLING && arrivals(arena, word).length === 0) return;
    Atomics.store(arena.words, word + BARRIER.DEAD_PID, 0);
    if (endRound(arena, word, round, state & 3, 'broken')) return;
  }
}

function endRound(arena: Arena, word: number, round: number, phase: number, how: RoundEnd): boolean {
  const outcome = word + BARRIER.OUTCOMES + (round % BARRIER.OUTCOME_COUNT);
  const former = (round << PHASE_BITS) | phase;
  // Noted before the round is over; read only after that.
  Atomics.store(arena.words, outcome, round * 2 + (how === 'broken' ? 1 : 0));
  const isDone =
    Atomics.compareExchange(arena.words, word + BARRIER.STATE, former, (round + 1) << PHASE_BITS) === former;
  wakeAll(arena, word);
  return isDone;
}

/** How round `round` ended for one who arrived in it; `undefined` while it is on. */
export function outcomeOf(arena: Arena, word: number, round: number): RoundEnd | undefined {
  const state = stateOf(arena, word);
  if (state >> PHASE_BITS === round) return (state & 3) === BROKEN ? 'broken' : undefined;
  const noted = Atomics.load(arena.words, word + BARRIER.OUTCOMES + (round % BARRIER.OUTCOME_COUNT));
  // One that comes this late, sixty-four rounds, cannot know any more.
  return noted === round * 2 ? 'passed' : 'broken';
}

/** Owner ids of those who have arrived in the round that is on. */
export function arrivals(arena: Arena, word: number): OwnerId[] {
  const round = currentRound(arena, word);
  const found: OwnerId[] = [];
  for (let index = 0; index < partiesOf(arena, word); index++) {
    const seen = Atomics.load(arena.pairs, arrivalPair(word, index));
    if (roundAt(seen) === round) found.push(ownerAt(seen));
  }
  return found;
}

/**
 * Breaks a barrier that a member held to the last: as far as anybody knows it was one of the parties. Who ends in an orderly way lets go of
 * its barriers before.
 */
export function sweepBarrier(arena: Arena, word: number, dead: OwnerId, deadPid: number): void {
  leaveWaiters(arena, word, dead);
  breakRound(arena, word, currentRound(arena, word), deadPid);
}
