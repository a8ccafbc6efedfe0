import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocate, drop, hold } from '../../src/arena/allocator.js';
import { KIND, SLOT, slotWord } from '../../src/arena/layout.js';
import {
  arrive,
  barrierBytes,
  breakRound,
  currentRound,
  deadParty,
  initBarrier,
  isBroken,
  outcomeOf,
  passRound,
} from '../../src/arena/primitives/barrier-words.js';
import {
  CONDITION_BYTES,
  freePlace,
  giveUpPlace,
  isNotified,
  notifyPlaces,
  takePlace,
} from '../../src/arena/primitives/condition-words.js';
import { clearEvent, eventState, setEvent, wasSetSince } from '../../src/arena/primitives/event-word.js';
import {
  claimLock,
  lockOwner,
  releaseLock,
  stopWaitingForLock,
  takeLockOrMark,
  takeNoteOfDeath,
  tryTakeLock,
} from '../../src/arena/primitives/lock-word.js';
import {
  freePermits,
  initSemaphore,
  releasePermit,
  semaphoreBytes,
  stopWaitingForPermit,
  tryTakePermit,
} from '../../src/arena/primitives/semaphore-words.js';
import { joinWaiters, leaveWaiters, waitersOf, wakeNext } from '../../src/arena/primitives/wait-set.js';
import { claimSlot, enterSlot, type OwnerId, slotOf } from '../../src/arena/slots.js';
import { sweepMember } from '../../src/arena/sweep.js';
import { atEveryChange } from '../fixtures/arena-death.js';
import { openStage, type Stage } from '../fixtures/arena-stage.js';

/** A member asleep in a futex nobody sits in: whether it is woken shows in its park word. */
const ASLEEP = 1;
const PID = 4_000_000;

interface Scene {
  readonly stage: Stage;
  readonly word: number;
  readonly members: readonly OwnerId[];
}

function scene(kind: number, bytes: number, members: number): Scene {
  const stage = openStage();
  const block = allocate(stage.arena, stage.owner, kind, bytes);
  const owners = Array.from({ length: members }, () => newMember(stage));
  for (const owner of owners) hold(stage.arena, block, owner);
  return { stage, word: block.at / 4, members: owners };
}

function newMember({ arena, owner }: Stage): OwnerId {
  const own = claimSlot(arena, owner);
  enterSlot(arena, own, PID);
  return own;
}

function sleep({ arena }: Stage, owner: OwnerId): void {
  Atomics.store(arena.words, slotWord(slotOf(owner)) + SLOT.PARK, ASLEEP);
}

function isAsleep({ arena }: Stage, owner: OwnerId): boolean {
  return Atomics.load(arena.words, slotWord(slotOf(owner)) + SLOT.PARK) === ASLEEP;
}

/** Joins the waiters of a lock and sleeps, as one that found it taken. */
function waitForLock({ stage, word }: Scene, owner: OwnerId): boolean {
  joinWaiters(stage.arena, word, owner);
  if (takeLockOrMark(stage.arena, word, owner, false)) return true;
  sleep(stage, owner);
  return false;
}

test('Waiters are woken by turns, in the order of their slots, each before another is woken twice', () => {
  const { stage, word, members } = scene(KIND.LOCK, 192, 5);
  for (const member of members) joinWaiters(stage.arena, word, member);
  const woken: OwnerId[] = [];
  for (let turn = 0; turn < 10; turn++) {
    for (const member of members) sleep(stage, member);
    wakeNext(stage.arena, word);
    woken.push(...members.filter((member) => !isAsleep(stage, member)));
  }
  assert.deepEqual(woken, [...members, ...members]);
  assert.deepEqual(waitersOf(stage.arena, word), members);
});

test('A lock that is kept for one who has waited too long is taken by nobody else', () => {
  const all = scene(KIND.LOCK, 192, 3);
  const { stage, word } = all;
  const { arena } = stage;
  const [owner, patient, barger] = all.members as [OwnerId, OwnerId, OwnerId];
  assert.ok(tryTakeLock(arena, word, owner));
  assert.ok(!waitForLock(all, patient));
  claimLock(arena, word, patient);
  assert.ok(releaseLock(arena, word, owner));
  assert.ok(!isAsleep(stage, patient));
  assert.ok(!tryTakeLock(arena, word, barger));
  assert.ok(!waitForLock(all, barger));
  assert.ok(takeLockOrMark(arena, word, patient, false));
  stopWaitingForLock(arena, word, patient);
  assert.ok(releaseLock(arena, word, patient));
  assert.ok(!isAsleep(stage, barger), 'who came meanwhile is woken in turn');
});

test('A lock is released by its holder only, and once', () => {
  const { stage, word, members } = scene(KIND.LOCK, 192, 2);
  const [first, second] = members as [OwnerId, OwnerId];
  assert.ok(tryTakeLock(stage.arena, word, first));
  assert.ok(!releaseLock(stage.arena, word, second));
  assert.equal(lockOwner(stage.arena, word), first);
  assert.ok(releaseLock(stage.arena, word, first));
  assert.ok(!releaseLock(stage.arena, word, first));
});

const LOCK_ACTS: Readonly<Record<string, (all: Scene, dead: OwnerId) => void>> = {
  'takes a free lock and lets go of it': ({ stage, word }, dead) => {
    tryTakeLock(stage.arena, word, dead);
    releaseLock(stage.arena, word, dead);
  },
  'waits for it, claims it, takes it and lets go of it': ({ stage, word }, dead) => {
    joinWaiters(stage.arena, word, dead);
    claimLock(stage.arena, word, dead);
    takeLockOrMark(stage.arena, word, dead, false);
    stopWaitingForLock(stage.arena, word, dead);
    releaseLock(stage.arena, word, dead);
  },
};

for (const [what, act] of Object.entries(LOCK_ACTS)) {
  test(`Who dies at any change while it ${what} keeps it from nobody`, () => {
    const stages = new Set<string>();
    const deaths = atEveryChange((die) => {
      const all = scene(KIND.LOCK, 192, 3);
      const { stage, word } = all;
      const [dead, waiter, late] = all.members as [OwnerId, OwnerId, OwnerId];
      // One is asleep already, having found the lock taken by one that has let go of it since: its wake-up went to `dead`.
      tryTakeLock(stage.arena, word, late);
      joinWaiters(stage.arena, word, dead);
      assert.ok(!waitForLock(all, waiter));
      releaseLock(stage.arena, word, late);
      sleep(stage, waiter);
      const hasDied = die(() => act(all, dead));
      const hadIt = lockOwner(stage.arena, word) === dead;
      if (hasDied) sweepMember(stage.arena, dead, stage.owner);
      else stopWaitingForLock(stage.arena, word, dead);
      assert.ok(!isAsleep(stage, waiter), 'the one asleep is woken');
      assert.ok(takeLockOrMark(stage.arena, word, waiter, false));
      assert.equal(takeNoteOfDeath(stage.arena, word), hasDied && hadIt ? PID : 0);
      stages.add(`${hadIt}`);
      stopWaitingForLock(stage.arena, word, waiter);
      assert.ok(releaseLock(stage.arena, word, waiter));
      assert.ok(tryTakeLock(stage.arena, word, late));
    });
    assert.ok(deaths >= 2);
    assert.deepEqual([...stages].sort(), ['false', 'true']);
  });
}

test('Who dies at any change while it takes and gives back a permit leaves all permits to the others', () => {
  const deaths = atEveryChange((die) => {
    const { stage, word, members } = scene(KIND.SEMAPHORE, semaphoreBytes(2), 2);
    const { arena } = stage;
    const [dead, waiter] = members as [OwnerId, OwnerId];
    initSemaphore(arena, word, 2, 0, 0);
    assert.ok(tryTakePermit(arena, word, dead) && tryTakePermit(arena, word, dead));
    joinWaiters(arena, word, waiter);
    sleep(stage, waiter);
    const hasDied = die(() => {
      releasePermit(arena, word, dead);
      tryTakePermit(arena, word, dead);
      releasePermit(arena, word, dead);
      releasePermit(arena, word, dead);
    });
    if (hasDied) sweepMember(arena, dead, stage.owner);
    assert.ok(!isAsleep(stage, waiter));
    assert.equal(freePermits(arena, word), 2);
    assert.ok(tryTakePermit(arena, word, waiter) && tryTakePermit(arena, word, waiter));
    stopWaitingForPermit(arena, word, waiter);
    assert.ok(!tryTakePermit(arena, word, waiter));
  });
  assert.ok(deaths >= 5);
});

test('Permits without an owner are a number, and a bounded semaphore takes none too many', () => {
  const { stage, word, members } = scene(KIND.SEMAPHORE, semaphoreBytes(1), 1);
  const { arena } = stage;
  const [member] = members as [OwnerId];
  initSemaphore(arena, word, 1, 2, 2);
  for (let taken = 0; taken < 3; taken++) assert.ok(tryTakePermit(arena, word, member));
  assert.ok(!tryTakePermit(arena, word, member));
  for (let given = 0; given < 3; given++) assert.ok(releasePermit(arena, word, member));
  assert.ok(!releasePermit(arena, word, member));
  assert.equal(freePermits(arena, word), 3);
});

test('Places of a condition are notified in the order in which they were taken, past those given up', () => {
  const { stage, word, members } = scene(KIND.CONDITION, CONDITION_BYTES, 3);
  const { arena } = stage;
  const [a, b, c] = members as [OwnerId, OwnerId, OwnerId];
  for (let round = 0; round < 700; round++) {
    const places = [a, b, c].map((owner) => takePlace(arena, word, owner)) as [number, number, number];
    assert.ok(giveUpPlace(arena, places[0], a));
    assert.equal(notifyPlaces(arena, word, 1), 1);
    assert.deepEqual(
      places.map((place) => isNotified(arena, place)),
      [false, true, false],
    );
    assert.ok(!giveUpPlace(arena, places[1], b));
    freePlace(arena, places[1]);
    assert.equal(notifyPlaces(arena, word, Number.POSITIVE_INFINITY), 1);
    freePlace(arena, places[2]);
    assert.equal(notifyPlaces(arena, word, 1), 0);
  }
});

test('A notification that reaches a dead waiter while it is swept goes to the next one', () => {
  const { stage, word, members } = scene(KIND.CONDITION, CONDITION_BYTES, 2);
  const { arena } = stage;
  const [dead, waiter] = members as [OwnerId, OwnerId];
  const place = takePlace(arena, word, dead);
  const next = takePlace(arena, word, waiter);
  sleep(stage, waiter);
  const { compareExchange } = Atomics;
  let hasNotified = false;
  Object.assign(Atomics, {
    compareExchange: (words: Int32Array, at: number, expected: number, value: number) => {
      if (!hasNotified && at === place && value === 0) {
        hasNotified = true;
        notifyPlaces(arena, word, 1);
      }
      return compareExchange(words, at, expected, value);
    },
  });
  try {
    sweepMember(arena, dead, stage.owner);
  } finally {
    Object.assign(Atomics, { compareExchange });
  }
  assert.equal(hasNotified, true);
  assert.equal(Atomics.load(arena.words, place), 0);
  assert.equal(isNotified(arena, next), true);
  assert.equal(isAsleep(stage, waiter), false);
});

test('A condition has room for 960 waiters, and says so when it is full', () => {
  const { stage, word, members } = scene(KIND.CONDITION, CONDITION_BYTES, 1);
  const [member] = members as [OwnerId];
  for (let taken = 0; taken < 960; taken++) assert.notEqual(takePlace(stage.arena, word, member), -1);
  assert.equal(takePlace(stage.arena, word, member), -1);
  assert.equal(notifyPlaces(stage.arena, word, 4), 4);
});

test('Who dies at any change while it waits or notifies takes no notification with it and keeps nobody asleep', () => {
  const deaths = atEveryChange((die) => {
    const { stage, word, members } = scene(KIND.CONDITION, CONDITION_BYTES, 3);
    const { arena } = stage;
    const [dead, first, second] = members as [OwnerId, OwnerId, OwnerId];
    const places = [
      takePlace(arena, word, dead),
      takePlace(arena, word, first),
      takePlace(arena, word, second),
    ];
    for (const member of [first, second]) sleep(stage, member);
    // The longest waiting is the one that dies, with the first notification in its hands.
    assert.equal(notifyPlaces(arena, word, 1), 1);
    const hasDied = die(() => {
      notifyPlaces(arena, word, 1);
      freePlace(arena, places[0] as number);
      notifyPlaces(arena, word, 1);
    });
    if (hasDied) sweepMember(arena, dead, stage.owner);
    const notified = [1, 2].filter((index) => isNotified(arena, places[index] as number));
    assert.ok(notified.length >= 1);
    for (const index of notified) assert.ok(!isAsleep(stage, members[index] as OwnerId));
    assert.ok(!isNotified(arena, places[0] as number));
  });
  assert.ok(deaths >= 5);
});

test('Who dies at any change while it sets an event leaves nobody asleep for whom it was set', () => {
  atEveryChange((die) => {
    const { stage, word, members } = scene(KIND.EVENT, 192, 3);
    const { arena } = stage;
    const [dead, first, second] = members as [OwnerId, OwnerId, OwnerId];
    const state = eventState(arena, word);
    for (const member of [first, second]) {
      joinWaiters(arena, word, member);
      sleep(stage, member);
    }
    const hasDied = die(() => {
      setEvent(arena, word);
      clearEvent(arena, word);
    });
    if (hasDied) sweepMember(arena, dead, stage.owner);
    if (!wasSetSince(arena, word, state)) return;
    for (const member of [first, second]) assert.ok(!isAsleep(stage, member));
  });
});

test('Who dies at any change at a barrier breaks the round it was in, and no other', () => {
  const ends = new Set<string>();
  atEveryChange((die) => {
    const { stage, word, members } = scene(KIND.BARRIER, barrierBytes(2), 2);
    const { arena } = stage;
    const [dead, other] = members as [OwnerId, OwnerId];
    initBarrier(arena, word, 2);
    assert.equal(arrive(arena, word, 0, other), 0);
    joinWaiters(arena, word, other);
    sleep(stage, other);
    const hasDied = die(() => {
      assert.equal(arrive(arena, word, 0, dead), 1);
      passRound(arena, word, 0);
    });
    if (hasDied) sweepMember(arena, dead, stage.owner);
    const end = outcomeOf(arena, word, 0);
    ends.add(String(end));
    assert.ok(!isAsleep(stage, other));
    assert.equal(deadParty(arena, word), hasDied ? PID : 0);
    assert.equal(isBroken(arena, word), hasDied);
    if (end === 'passed') assert.equal(currentRound(arena, word), 1);
  });
  assert.deepEqual([...ends].sort(), ['broken', 'passed']);
});

test('A round that was broken stays broken for who was in it, also after a reset', () => {
  const { stage, word, members } = scene(KIND.BARRIER, barrierBytes(3), 2);
  const { arena } = stage;
  initBarrier(arena, word, 3);
  assert.equal(arrive(arena, word, 0, members[0] as OwnerId), 0);
  assert.ok(breakRound(arena, word, 0, 0));
  assert.ok(!passRound(arena, word, 0));
  assert.equal(outcomeOf(arena, word, 0), 'broken');
  leaveWaiters(arena, word, members[0] as OwnerId);
  drop(arena, { at: word * 4, generation: 0 }, members[0] as OwnerId);
});
