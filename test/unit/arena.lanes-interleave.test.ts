import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ActorModel, END, explore } from '../fixtures/arena-interleave.js';

/*
 * Models, step by step, of what arena/lanes and arena/keeping.ts do: each step is one atomic access, or what happens under the lock as a whole.
 * They follow the code by hand; whoever changes an order there changes it here first.
 */

interface Ending {
  tail: number;
  head: number;
  hasEnded: boolean;
  /** What became of the put. */
  put: 'none' | 'resolved' | 'refused';
  /** The getter was told that nothing more will come. */
  isOver: boolean;
}

const open: Ending = { tail: 0, head: 0, hasEnded: false, put: 'none', isOver: false };

/** `QueueView.tryPut`; hasty, it does not look once more after the commit. */
function putter(isHasty: boolean, mayDie = false): ActorModel<Ending> {
  return {
    mayDie,
    steps: [
      (state) => {
        if (!state.hasEnded) return undefined;
        state.put = 'refused';
        return END;
      },
      (state) => {
        state.tail++;
        return undefined;
      },
      (state) => {
        if (!isHasty && state.hasEnded) return undefined;
        state.put = 'resolved';
        return END;
      },
      // Under the lock: `retract`.
      (state) => {
        if (state.head === state.tail) state.put = 'resolved';
        else {
          state.tail--;
          state.put = 'refused';
        }
        return END;
      },
    ],
  };
}

/** Takes until it is told that the queue is over; each look is under the lock. */
const getter: ActorModel<Ending> = {
  steps: [
    (state) => {
      if (state.head < state.tail) state.head++;
      return undefined;
    },
    (state) => {
      if (state.head < state.tail) return 0;
      if (!state.hasEnded) return 0;
      state.isOver = true;
      return END;
    },
  ],
};

const ender: ActorModel<Ending> = {
  steps: [
    (state) => {
      state.hasEnded = true;
      return END;
    },
  ],
};

test('An item whose put resolved is received before the end, and one that was refused never is, in any order of steps', () => {
  for (const mayDie of [false, true]) {
    const { outcomes, states } = explore(open, [putter(false, mayDie), getter, ender]);
    assert.ok(states > 20);
    for (const { state } of outcomes) {
      assert.ok(state.isOver, 'who gets comes to an end');
      if (state.put === 'resolved') assert.equal(state.head, 1);
      if (state.put === 'refused') assert.equal(state.head, 0);
    }
  }
  const hasty = explore(open, [putter(true), getter, ender]).outcomes;
  assert.ok(
    hasty.some(({ state }) => state.put === 'resolved' && state.head === 0),
    'without the second look an item is lost: the model can tell',
  );
});

interface Kept {
  producer: boolean;
  consumer: boolean;
  isKept: boolean;
  isLinked: boolean;
  joins: number;
  isFreed: boolean;
  /** Freed while somebody had it. */
  isLost: boolean;
  seen: number;
}

const fresh: Kept = {
  producer: true,
  consumer: false,
  isKept: false,
  isLinked: false,
  joins: 0,
  isFreed: false,
  isLost: false,
  seen: 0,
};

/** Keeps its block, links it, lets go of it. */
const linker: ActorModel<Kept> = {
  steps: [
    (state) => {
      state.isKept = true;
      return undefined;
    },
    (state) => void state.joins++,
    (state) => {
      state.isLinked = true;
      return undefined;
    },
    (state) => {
      state.producer = false;
      return END;
    },
  ],
};

/** Takes it out, once it is linked; hasty, it does not hold it before it ends that it is kept. */
function taker(isHasty: boolean): ActorModel<Kept> {
  const holding: ActorModel<Kept>['steps'] = [
    (state) => {
      state.consumer = true;
      return undefined;
    },
    (state) => void state.joins++,
  ];
  const rest: ActorModel<Kept>['steps'] = [
    (state) => {
      state.isLinked = false;
      return undefined;
    },
    (state) => {
      state.isKept = false;
      return undefined;
    },
  ];
  const steps = isHasty ? [...rest, ...holding] : [...holding, ...rest];
  return { steps: [(state) => (state.isLinked ? undefined : END), ...steps] };
}

/** `freeUnheld`, by a sweep that comes by. */
const passerBy: ActorModel<Kept> = {
  steps: [
    (state) => {
      state.seen = state.joins;
      return undefined;
    },
    (state) => (state.producer ? END : undefined),
    (state) => (state.consumer ? END : undefined),
    (state) => (state.isKept ? END : undefined),
    (state) => (state.joins === state.seen ? undefined : END),
    (state) => {
      state.isFreed = true;
      state.isLost = state.producer || state.consumer || state.isKept;
      return END;
    },
  ],
};

test('A block that goes from its producer to the queue and on to a consumer is freed under nobody', () => {
  const { outcomes, states } = explore(fresh, [linker, taker(false), passerBy]);
  assert.ok(states > 50);
  for (const { state } of outcomes) assert.ok(!state.isFreed);
  const hasty = explore(fresh, [linker, taker(true), passerBy]).outcomes;
  assert.ok(
    hasty.some(({ state }) => state.isFreed),
    'the model can tell',
  );
});

interface Tidying extends Kept {
  isCandidate: boolean;
  isReachable: boolean;
}

/** `tidy`: collects what nobody holds, then looks what can be reached; hasty, in the other order. */
function tidier(isHasty: boolean): ActorModel<Tidying> {
  const looks: ActorModel<Tidying>['steps'] = [
    (state) => {
      state.isCandidate = state.isKept && !state.producer;
      return undefined;
    },
    (state) => {
      state.isReachable = state.isLinked;
      return undefined;
    },
  ];
  return {
    steps: [
      ...(isHasty ? looks.toReversed() : looks),
      (state) => {
        if (!state.isCandidate || state.isReachable) return END;
        state.isLost = true;
        return END;
      },
    ],
  };
}

test('Putting in order takes nothing from a producer that is just linking it', () => {
  const initial: Tidying = { ...fresh, isCandidate: false, isReachable: false };
  const { outcomes } = explore(initial, [linker as ActorModel<Tidying>, tidier(false)]);
  for (const { state } of outcomes) assert.ok(!state.isLost);
  const hasty = explore(initial, [linker as ActorModel<Tidying>, tidier(true)]).outcomes;
  assert.ok(
    hasty.some(({ state }) => state.isLost),
    'the model can tell',
  );
});
