import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ActorModel, END, explore, SLEEP } from '../fixtures/arena-interleave.js';

/*
 * Models, step by step, of what parking.ts, progress.ts, byte-ring.ts and allocator.ts do: each step is one atomic access. They follow the
 * code by hand; whoever changes an order there changes it here first.
 */

interface Park {
  park: 'awake' | 'futex' | 'bell';
  data: number;
  taken: number;
  rings: number;
  futexWoken: boolean;
}

const parked: Park = { park: 'awake', data: 0, taken: 0, rings: 0, futexWoken: false };

/** Waits for `wanted` messages: says that it sleeps, looks once more, sleeps. */
function sleeper(kind: 'futex' | 'bell', wanted: number): ActorModel<Park> {
  const take = (state: Park): number | undefined => {
    state.taken += state.data;
    state.data = 0;
    return state.taken === wanted ? END : undefined;
  };
  return {
    steps: [
      take,
      (state) => {
        state.park = kind;
        state.futexWoken = false;
        return undefined;
      },
      // Looks once more.
      take,
      // futex(2) sleeps only if the word still says so; the loop sleeps unless a ring lies in the pipe.
      (state) => (kind === 'futex' && state.park !== 'futex' ? 0 : SLEEP),
      (state) => {
        state.rings = 0;
        return 0;
      },
    ],
    isAwake: (state) => (kind === 'futex' ? state.futexWoken : state.rings > 0),
  };
}

/** Stores a message, then wakes as `wake` does. */
function waker(mayDie = false): ActorModel<Park> {
  let seen: Park['park'] = 'awake';
  const steps: ActorModel<Park>['steps'] = [
    (state) => {
      state.data++;
      return undefined;
    },
    (state) => (state.park === 'awake' ? END : undefined),
    (state) => {
      seen = state.park;
      state.park = 'awake';
      // What the exchange answered decides the next step; each branch is a step of its own.
      return seen === 'futex' ? 3 : seen === 'bell' ? 4 : END;
    },
    (state) => {
      state.futexWoken = true;
      return END;
    },
    (state) => {
      state.rings++;
      return END;
    },
  ];
  return { steps, mayDie };
}

for (const kind of ['futex', 'bell'] as const) {
  test(`One who sleeps by ${kind} misses no message of one waker, in any order of steps`, () => {
    const { outcomes, states } = explore(parked, [sleeper(kind, 1), waker()]);
    assert.ok(states > 10);
    for (const { asleep, state } of outcomes) assert.deepEqual([asleep[0], state.taken], [false, 1]);
  });

  test(`One who sleeps by ${kind} misses no message of three wakers, in any order of steps`, () => {
    const { outcomes, states } = explore(parked, [sleeper(kind, 3), waker(), waker(), waker()]);
    assert.ok(states > 500);
    for (const { asleep, state } of outcomes) assert.deepEqual([asleep[0], state.taken], [false, 3]);
  });

  test(`A waker that dies between its steps can leave one who sleeps by ${kind} asleep: the look now and then is needed`, () => {
    const { outcomes } = explore(parked, [sleeper(kind, 2), waker(true), waker()]);
    const stuck = outcomes.filter(({ asleep, state }) => asleep[0] && state.data > 0);
    assert.ok(stuck.length > 0);
    // Nobody but a dead waker is ever to blame.
    for (const { dead } of stuck) assert.equal(dead[1], true);
    // With the look, no outcome is final while a message lies there.
    const looking: ActorModel<Park> = { ...sleeper(kind, 2) };
    const withLook = { ...looking, isAwake: (s: Park) => looking.isAwake?.(s) === true || s.data > 0 };
    for (const { state } of explore(parked, [withLook, waker(true), waker()]).outcomes)
      assert.equal(state.data, 0);
  });
}

test('Without the second look a message is missed: the model can tell', () => {
  const hasty = sleeper('bell', 1);
  const steps = hasty.steps.filter((_, index) => index !== 2);
  const { outcomes } = explore(parked, [{ ...hasty, steps }, waker()]);
  assert.ok(outcomes.some(({ asleep, state }) => asleep[0] && state.data === 1));
});

interface Gate {
  message: number;
  isRecalled: boolean;
  ring: (number | 'RESUME')[];
  ran: number[];
  thrownAway: number[];
  outstanding: number[];
  takenBack: number[];
  owesResume: boolean;
  workerAt: number;
  workerIgnores: boolean;
  seen: number;
}

const gate: Gate = {
  message: 0,
  isRecalled: false,
  ring: [1, 2, 3],
  ran: [],
  thrownAway: [],
  outstanding: [1, 2, 3],
  takenBack: [],
  owesResume: false,
  workerAt: 0,
  workerIgnores: false,
  seen: 0,
};

/** pool/worker/worker.ts: takes a message, passes the gate by an exchange, runs it. */
function gateWorker(reads: number, mayDie = false): ActorModel<Gate> {
  const read = (state: Gate): undefined => {
    const next = state.ring.shift();
    if (next === undefined) return undefined;
    if (next === 'RESUME') {
      state.workerIgnores = false;
      state.message = state.workerAt;
      state.isRecalled = false;
    } else if (state.workerIgnores || state.isRecalled || state.message !== state.workerAt) {
      // The failed exchange and the note of it are the worker's own.
      state.workerIgnores = true;
      state.thrownAway.push(next);
    } else {
      state.message = next;
      state.workerAt = next;
      state.ran.push(next);
    }
    return undefined;
  };
  return { steps: Array.from({ length: reads }, () => read), mayDie };
}

/** Progress.recall and WorkerLink.recall: looks, exchanges, takes back, then sends RESUME and one more message. */
function gateParent(recalls: number, lastNumber: number): ActorModel<Gate> {
  const one: ActorModel<Gate>['steps'] = [
    (state) => {
      state.seen = state.isRecalled ? -1 : state.message;
      return undefined;
    },
    (state) => {
      if (state.seen === -1 || state.isRecalled || state.message !== state.seen) return undefined;
      state.isRecalled = true;
      const back = state.outstanding.filter((number) => number > state.seen);
      state.outstanding = state.outstanding.filter((number) => number <= state.seen);
      state.takenBack.push(...back);
      state.owesResume = true;
      return undefined;
    },
    (state) => {
      if (state.owesResume) state.ring.push('RESUME');
      state.owesResume = false;
      return undefined;
    },
  ];
  const send = (state: Gate): undefined => {
    state.ring.push(lastNumber);
    state.outstanding.push(lastNumber);
    return undefined;
  };
  return { steps: [...Array.from({ length: recalls }, () => one).flat(), send] };
}

test('A message is run by the worker or recalled by the parent, never both, never neither, in any order of steps', () => {
  for (const recalls of [0, 1, 2, 3]) {
    // Enough reads for all messages and a RESUME for each recall, and for looks that find nothing.
    const { outcomes, states } = explore(gate, [gateWorker(10), gateParent(recalls, 4)]);
    assert.ok(states > 10);
    for (const { state } of outcomes) {
      if (state.ring.length > 0) continue;
      assert.deepEqual([...state.ran, ...state.takenBack].sort(), [1, 2, 3, 4], JSON.stringify(state));
      assert.deepEqual(state.outstanding.toSorted(), state.ran.toSorted());
      assert.deepEqual(state.thrownAway.toSorted(), state.takenBack.toSorted());
      assert.equal(state.isRecalled, false, 'the gate is open again');
    }
    assert.ok(outcomes.some(({ state }) => state.ring.length === 0));
  }
});

test('When the worker dies anywhere, each message was run, or is outstanding, or was recalled', () => {
  for (const { state } of explore(gate, [gateWorker(6, true), gateParent(2, 4)]).outcomes) {
    assert.deepEqual([...state.outstanding, ...state.takenBack].sort(), [1, 2, 3, 4]);
    for (const number of state.ran)
      assert.ok(!state.takenBack.includes(number), 'what was run is not run again elsewhere');
  }
});

interface Room {
  free: number;
  waits: boolean;
  woken: boolean;
  sent: boolean;
}

test('A writer that asks for room is woken by the reader that makes it, or sees it itself', () => {
  const look = (state: Room): number | undefined => {
    if (state.free === 0) return undefined;
    state.sent = true;
    return END;
  };
  const writer: ActorModel<Room> = {
    steps: [
      look,
      (state) => {
        state.waits = true;
        return undefined;
      },
      look,
      () => SLEEP,
      (state) => {
        state.woken = false;
        return 0;
      },
    ],
    isAwake: (state) => state.woken,
  };
  const reader: ActorModel<Room> = {
    steps: [
      (state) => {
        state.free++;
        return undefined;
      },
      (state) => (state.waits ? undefined : END),
      (state) => {
        state.waits = false;
        return undefined;
      },
      (state) => {
        state.woken = true;
        return END;
      },
    ],
  };
  const { outcomes } = explore<Room>({ free: 0, waits: false, woken: false, sent: false }, [writer, reader]);
  for (const { state } of outcomes) assert.ok(state.sent);
});

interface Held {
  /** The set is not read at once: two words, one bit each. */
  words: [number, number];
  joins: number;
  state: number;
  generation: number;
  frees: number;
  lostAlive: number;
  seenByHolder: number;
  seenByOther: number;
}

const held: Held = {
  words: [0, 1],
  joins: 0,
  state: 7,
  generation: 1,
  frees: 0,
  lostAlive: 0,
  seenByHolder: 0,
  seenByOther: 0,
};

/** A holder in word 1 hands the block to one in word 0 and lets go: `hold`, then `drop`. */
const handsOn: ActorModel<Held> = {
  steps: [
    (state) => {
      state.words[0] = 1;
      return undefined;
    },
    (state) => {
      state.joins++;
      return undefined;
    },
    (state) => {
      state.words[1] = 0;
      return undefined;
    },
    ...freeing('seenByHolder', false),
  ],
};

/** `freeUnheld` of one actor, who notes what it saw in `seen`; blind, it does not look whether somebody joined. */
function freeing(seen: 'seenByHolder' | 'seenByOther', isBlind: boolean): ActorModel<Held>['steps'] {
  return [
    (state) => {
      state[seen] = state.joins;
      return undefined;
    },
    (state) => (state.words[0] !== 0 ? END : undefined),
    (state) => (state.words[1] !== 0 ? END : undefined),
    (state) => (!isBlind && state.joins !== state[seen] ? END : undefined),
    (state) => {
      if (state.state !== 7 || state.generation !== 1) return END;
      state.state = 0;
      state.frees++;
      if (state.words[0] !== 0 || state.words[1] !== 0) state.lostAlive++;
      return END;
    },
  ];
}

test('A block that is handed on while another looks through its holders is not freed under the new one', () => {
  const { outcomes } = explore(held, [handsOn, { steps: freeing('seenByOther', false) }]);
  for (const { state } of outcomes) assert.equal(state.lostAlive, 0);
  const blind = explore(held, [handsOn, { steps: freeing('seenByOther', true) }]).outcomes;
  assert.ok(
    blind.some(({ state }) => state.lostAlive > 0),
    'the model can tell',
  );
});
