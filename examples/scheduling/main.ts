// Who runs next, when there are more tasks than processors? Three policies play the same four jobs on one CPU, then a real pool of
// one worker has the same to decide.
import { Mlfq, Pool, type SchedulingPolicy, Value } from 'furca';
import { Fcfs, ganttText, Sjf, simulate } from 'furca/scheduling';

const jobs = [
  { name: 'long', arrivalMs: 0, runMs: 120 },
  { name: 'short', arrivalMs: 10, runMs: 20 },
  { name: 'tiny', arrivalMs: 20, runMs: 10 },
  { name: 'middle', arrivalMs: 30, runMs: 60 },
];
// In the last chart the text's rules can be seen: who is new runs at once; who has used up its time (10, then 20, then 40 ms: the more
// urgent the queue, the shorter) goes to the queue below; that one runs only while those above are empty.
for (const policy of [new Fcfs(), new Sjf(), new Mlfq({ quantaMs: [10, 20, 40] })])
  console.log(ganttText(simulate(jobs, policy), 60));

// A pool with one worker, which is busy until all tasks have been given.
async function order(schedule: SchedulingPolicy): Promise<string> {
  const done: string[] = [];
  const pool = new Pool(1, { schedule });
  const given = new Value('int32', 0);
  const gate = pool.apply(
    (given: Value<'int32'>) => {
      while (given.value === 0);
    },
    [given],
  );
  const tasks = jobs.map(async ({ name, runMs }) =>
    done.push(await pool.apply((x: string) => x, [name], { cost: runMs })),
  );
  given.value = 1;
  await Promise.all([gate, ...tasks]);
  await pool.close();
  return done.join(', ');
}
console.log('a pool, first come, first served:', await order(new Fcfs()));
console.log('a pool, shortest first:', await order(new Sjf()));

// Feedback takes the processor away: one worker, and yet the first task learns of what the second one does.
const pool = new Pool(1, { schedule: 'mlfq' });
const flag = new Value('int32', 0);
const waiting = pool.apply(
  (flag: Value<'int32'>) => {
    while (flag.value === 0);
    return 'the long task goes on';
  },
  [flag],
);
await pool.apply(
  (flag: Value<'int32'>) => {
    flag.value = 1;
  },
  [flag],
);
console.log('a pool, feedback:', await waiting);
await pool.close();
