import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertPrinted, checkExample, examplePrograms, LIMIT_MS } from '../fixtures/example-programs.js';

/** What a text states beyond the lines it prints: checked on the lines of the program. */
const RULES: Readonly<Record<string, (lines: readonly string[]) => void>> = {
  // Four tasks run at a time, in four processes, and a fifth only when one of them is done.
  pool: (lines) => {
    let running = 0;
    for (const line of lines) {
      if (line.startsWith('Run task')) running++;
      if (/^Task \d runs/.test(line)) running--;
      assert.ok(running <= 4, line);
    }
    const pids = lines.flatMap((line) => /^Run task \d \((\d+)\)/.exec(line)?.[1] ?? []);
    assert.ok(pids.length === 5 && new Set(pids).size <= 4);
  },
  // First in, first out; nothing is taken out before it was put in.
  queue: (lines) => {
    const at = (line: string): number => lines.indexOf(line);
    const gets = ['A', 'B', 'C'].map((value) => at(`Get ${value} from queue.`));
    assert.deepEqual(
      gets,
      [...gets].sort((a, b) => a - b),
    );
    for (const value of ['A', 'B', 'C'])
      assert.ok(at(`Put ${value} to queue...`) < at(`Get ${value} from queue.`), value);
  },
  // The child has 0 and its parent's pid by getppid(), the parent the child's: two processes.
  'os-fork': (lines) => {
    const child = /child process \((\d+)\) and my parent is (\d+)/.exec(lines.join('\n'));
    assert.ok(child !== null && child[1] !== child[2]);
  },
  'process-ids': ([main, child]) => assert.equal(child?.split(' ')[1], main?.split(' ')[1]),
};

test('there is a program for each one of the source texts that furca can run', () => {
  assert.ok(examplePrograms.length >= 22);
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
