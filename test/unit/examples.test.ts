import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertPrinted, checkExample, examplePrograms, LIMIT_MS } from '../fixtures/example-programs.js';

/** What a text states beyond the lines it prints: checked on the lines of the program. */
const RULES: Readonly<Record<string, (lines: readonly string[]) => void>> = {
  pool: (lines) => {
    const worker = (task: number): string | undefined =>
      lines.map((line) => new RegExp(`^Run task ${task} \\((\\d+)\\)`).exec(line)?.[1]).find(Boolean);
    const four = lines.findIndex((line) => line.startsWith('Run task 4'));
    const done = lines.slice(0, four).map((line) => /^Task (\d) runs/.exec(line)?.[1]);
    // The fifth task waits for one of the first four, and runs in the process that has become free.
    assert.ok(done.some((task) => task !== undefined && worker(Number(task)) === worker(4)));
    assert.equal(new Set([0, 1, 2, 3].map(worker)).size, 4);
  },
  'process-ids': ([main, child]) => assert.equal(child?.split(' ')[1], main?.split(' ')[1]),
};

test('there is a program for each one of the source texts that furca can run', () => {
  assert.ok(examplePrograms.length >= 13);
  const topics = examplePrograms.map(({ topic }) => topic);
  assert.deepEqual(
    Object.keys(RULES).filter((topic) => !topics.includes(topic)),
    [],
  );
});

// They wait more than they work.
describe('the programs of examples/', { concurrency: 3 }, () => {
  for (const program of examplePrograms) {
    const ways = program.needsForkReady ? (['furca run'] as const) : (['furca run', 'node'] as const);
    for (const way of ways) {
      test(`examples/${program.topic} prints what it should under ${way}`, {
        timeout: LIMIT_MS,
      }, async () => {
        const lines = await checkExample(program, way);
        RULES[program.topic]?.(lines);
      });
    }
  }
});

test('printed lines are compared by place, by name and by number', () => {
  const fails = (lines: string[], expected: string): void =>
    assert.throws(() => assertPrinted(lines, expected), assert.AssertionError);
  assertPrinted(['a 1', 'b 2', 'c 1'], '  a {x}\n| c {x}\n| b {y}\n');
  fails(['a 1', 'b 2', 'c 3'], '  a {x}\n| c {x}\n| b {y}\n');
  fails(['b', 'a'], '  a\n  b\n');
  fails(['a'], '  a\n  b\n');
  fails(['a', 'b', 'c'], '  a\n  b\n');
  assertPrinted(['t', 's', 't', 't', 'e'], '| s\n+ t\n  e\n');
  fails(['s', 'e'], '| s\n+ t\n  e\n');
  fails(['t', 's', 's', 'e'], '| s\n+ t\n  e\n');
});
