import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Fcfs,
  ganttSvg,
  ganttText,
  Mlfq,
  makePolicy,
  POLICY_NAMES,
  Priority,
  parseTrace,
  Sjf,
  simulate,
  type TraceJob,
} from '../../src/scheduling.js';
import { range, seededRandom } from '../fixtures/pool-outcomes.js';

const job = (name: string, arrivalMs: number, runMs: number, priority = 0): TraceJob => ({
  name,
  arrivalMs,
  runMs,
  priority,
});

/** Silberschatz, Galvin, Gagne: Operating System Concepts, chapter on CPU scheduling: 24, 3, 3. */
const CONVOY = [job('P1', 0, 24), job('P2', 0, 3), job('P3', 0, 3)];

function endsOf(run: ReturnType<typeof simulate>): Record<string, number> {
  return Object.fromEntries(run.jobs.map(({ name, endMs }) => [name, endMs]));
}

test('fcfs runs jobs in the order they come: the convoy of the textbook waits 17 ms on average', () => {
  const run = simulate(CONVOY, new Fcfs());
  assert.deepEqual(endsOf(run), { P1: 24, P2: 27, P3: 30 });
  assert.equal(run.meanWaitMs, 17);
});

test('sjf takes the shortest first: the same convoy waits 3 ms on average', () => {
  const run = simulate(CONVOY, new Sjf());
  assert.deepEqual(endsOf(run), { P2: 3, P3: 6, P1: 30 });
  assert.equal(run.meanWaitMs, 3);
});

test('sjf has the smallest mean turnaround of all orders, when all jobs are there from the start', () => {
  const random = seededRandom(5);
  const jobs = range(6).map((i) => job(`J${i}`, 0, 1 + Math.floor(random() * 50)));
  const orders = permutations(range(6)).map((order) => {
    let now = 0;
    return order.reduce((sum, at) => {
      now += (jobs[at] as TraceJob).runMs;
      return sum + now;
    }, 0);
  });
  assert.equal(simulate(jobs, new Sjf()).meanTurnaroundMs, Math.min(...orders) / 6);
});

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((one) => one !== item)).map((rest) => [item, ...rest]),
  );
}

test('priority runs the most urgent first, and waiting makes urgent', () => {
  const jobs = [job('first', 0, 10), job('low', 1, 10, 0), job('high', 2, 10, 5)];
  assert.deepEqual(endsOf(simulate(jobs, new Priority())), { first: 10, high: 20, low: 30 });
  // Every 10 ms of waiting weigh as much as one step of priority.
  const flood = [job('low', 0, 5, 0), ...range(50).map((i) => job(`high${i}`, i * 5, 5, 3))];
  const { low } = endsOf(simulate(flood, new Priority(10)));
  assert.ok(low !== undefined && low <= 45, String(low));
  assert.equal(
    endsOf(
      simulate(
        flood.map((one) => ({ ...one, arrivalMs: 0 })),
        new Priority(),
      ),
    )['low'],
    255,
  );
});

test('mlfq answers a short job at once, whatever long ones run', () => {
  const jobs = [job('long', 0, 1000), job('short', 500, 4)];
  const run = simulate(jobs, new Mlfq());
  assert.equal(run.jobs.find(({ name }) => name === 'short')?.responseMs, 0);
  assert.deepEqual(endsOf(run), { short: 504, long: 1004 });
  assert.ok((endsOf(simulate(jobs, new Fcfs()))['short'] as number) > 1000);
});

test('mlfq lets jobs of a level take turns of a quantum, and moves down who has used up its time', () => {
  const run = simulate([job('A', 0, 20), job('B', 0, 20)], new Mlfq({ quantaMs: [4, 8], boostMs: 1e9 }));
  const order = run.spans.map(({ job: name, fromMs, toMs }) => `${name}${toMs - fromMs}`).join(' ');
  assert.equal(order, 'A4 B4 A8 B8 A8 B8');
});

test('mlfq cannot be cheated by giving up the CPU just before the quantum ends: used time adds up', () => {
  const policy = new Mlfq({ quantaMs: [10, 100], boostMs: 1e9 });
  const task = (
    id: number,
  ): { id: number; priority: number; cost: undefined; arrivedAt: number; ranMs: number } => ({
    id,
    priority: 0,
    cost: undefined,
    arrivedAt: 0,
    ranMs: 0,
  });
  const [sly, other] = [task(1), task(2)];
  policy.add(sly, 0, 'new');
  policy.remove(sly);
  policy.add(other, 0, 'new');
  assert.equal(policy.shallYield(sly, 9, 9), false);
  assert.equal(policy.shallYield(sly, 10, 10), true);
  assert.equal(policy.levelOf(sly), 1);
});

test('mlfq starves nobody: a boost brings every job back to the first level', () => {
  const flood = [job('long', 0, 60), ...range(400).map((i) => job(`s${i}`, i * 5, 5))];
  const run = simulate(flood, new Mlfq({ boostMs: 100 }));
  assert.ok((endsOf(run)['long'] as number) < 1500);
  const last = run.spans.filter((span) => span.job === 'long');
  assert.ok(last.length > 2 && (last[1]?.fromMs as number) < 1000);
});

for (const policy of POLICY_NAMES) {
  test(`${policy}: on seeded traces every job runs for exactly its time, on no two CPUs at once, and no CPU idles while somebody waits`, () => {
    const random = seededRandom(Number(process.env['FURCA_SEED'] ?? 11));
    for (let round = 0; round < 25; round++) {
      const cpus = 1 + Math.floor(random() * 3);
      const jobs = range(20).map((i) =>
        job(`J${i}`, Math.floor(random() * 200), 1 + Math.floor(random() * 60), Math.floor(random() * 4)),
      );
      const run = simulate(jobs, makePolicy(policy), cpus);
      assert.equal(run.jobs.length, jobs.length);
      for (const { name, runMs } of jobs) {
        const spans = run.spans.filter((span) => span.job === name).sort((a, b) => a.fromMs - b.fromMs);
        assert.ok(Math.abs(spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0) - runMs) < 1e-6);
        for (const [at, span] of spans.slice(1).entries())
          assert.ok(span.fromMs >= (spans[at]?.toMs as number) - 1e-9);
      }
      const busy = run.spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
      for (const { name, arrivalMs, endMs } of run.jobs) {
        for (let at = arrivalMs + 0.5; at < endMs; at += 7.3) {
          const running = run.spans.filter(({ fromMs, toMs }) => fromMs <= at && at < toMs);
          assert.ok(running.some((span) => span.job === name) || running.length === cpus, `${name} at ${at}`);
        }
      }
      assert.ok(Math.abs(busy - jobs.reduce((sum, { runMs }) => sum + runMs, 0)) < 1e-6);
    }
  });
}

test('a trace is read with or without a heading, and a bad line is named', () => {
  assert.deepEqual(parseTrace('name,arrival,run,priority\n# nothing\nA, 0, 5\nB,1,2.5,3\n'), [
    { name: 'A', arrivalMs: 0, runMs: 5 },
    { name: 'B', arrivalMs: 1, runMs: 2.5, priority: 3 },
  ]);
  for (const bad of ['A,0', 'A,-1,5', 'A,0,0', ',0,5', 'A,x,5\nB,0,1', 'A,0,5,urgent', ''])
    assert.throws(() => parseTrace(`B,0,1\n${bad}`.slice(bad === '' ? 6 : 0)), {
      code: 'ERR_FURCA_INVALID_ARGUMENT',
    });
});

test('charts show every job, as text of the given width and as an image', () => {
  const run = simulate([job('A<&', 0, 30), job('B', 10, 10)], new Fcfs());
  const lines = ganttText(run, 60).split('\n');
  assert.match(lines[1] ?? '', /^A<& │█+ +│$/);
  assert.match(lines[2] ?? '', /^B {3}│ +·+█+│$/);
  assert.ok(lines.every((line) => line.length <= 80));
  const svg = ganttSvg([run, run]);
  assert.match(svg, /^<svg [^>]+>/);
  assert.match(svg, /A&lt;&amp;/);
  assert.doesNotMatch(svg, /NaN|undefined/);
});
