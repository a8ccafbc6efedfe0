// The three states of a process, here of the tasks of a pool: ready, running, blocked. There is one place to run in, with feedback queues: the
// first task has used up its time when the second one comes, and is put off for it; the third waits for its turn.
import { Pool, Value } from 'furca';

// Keeps its processor busy until it is let go.
function busy(letGo: Value<'int32'>, name: string): string {
  while (letGo.value === 0);
  return name;
}

interface States {
  readonly ready: number;
  readonly running: number;
  readonly blocked: number;
}

// The pool counts what waits, and lists what its workers have.
function states(): States {
  const { queued, tasks } = pool.stats();
  const count = (wanted: string) => tasks.filter(({ state }) => state === wanted).length;
  return { ready: queued, running: count('running'), blocked: count('blocked') };
}

async function until(condition: (now: States) => boolean): Promise<void> {
  for (;;) {
    // One look for both: the next one may see another state.
    const now = states();
    if (condition(now)) {
      console.log(now);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const letGo = new Value('int32', 0);
// One task at most may be put off at a time, so that the third one can only wait.
const pool = new Pool(1, { schedule: 'mlfq', maxStopped: 1 });
const first = pool.apply(busy, [letGo, 'A']);
await until(({ running }) => running === 1);
const others = ['B', 'C'].map((name) => pool.apply(busy, [letGo, name]));
await until(({ ready, running, blocked }) => ready === 1 && running === 1 && blocked === 1);
letGo.value = 1;
console.log('done:', await first, ...(await Promise.all(others)));
console.log(states());
await pool.close();
