import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { examples as all, LIMIT_MS, outcomeOf, writeProgram } from './comment-examples.js';

/** Those of a cluster need a Redis, and have a file of their own. */
const examples = all.filter(({ path }) => !path.startsWith('cluster/'));

/** Examples that are not run. */
const SKIPPED: ReadonlyMap<string, string> = new Map([
  ['currentTask', 'it imports the package in the worker, and there are two copies of it here'],
  ['setForkserverPreload', 'it names a module of the user’s program'],
]);

/** What an example takes for granted in the program around it. */
const SURROUNDINGS: ReadonlyMap<string, string> = new Map([
  ['isMain', 'const main = async () => {};'],
  ['registerAtFork', 'const server = { close() {} };'],
]);

const folder = mkdtempSync(join(tmpdir(), 'furca-examples-'));
after(() => rmSync(folder, { recursive: true }));

test('there are examples, and every one that is skipped is still there', () => {
  assert.ok(examples.length >= 15, `only ${examples.length} were found`);
  const names = examples.map(({ of }) => of);
  assert.deepEqual(
    [...SKIPPED.keys(), ...SURROUNDINGS.keys()].filter((name) => !names.includes(name)),
    [],
  );
});

// They wait for processes more than they work.
describe('examples in comments', { concurrency: 3 }, () => {
  examples.forEach((example, at) => {
    const options = { timeout: LIMIT_MS + 10_000, skip: SKIPPED.get(example.of) ?? false };
    test(`the example of ${example.of} (${example.path}) runs and gives what it says`, options, async () => {
      const program = join(folder, `example-${at}.mjs`);
      const text = await writeProgram(program, example, SURROUNDINGS.get(example.of) ?? '');
      const { code, output } = await outcomeOf(program);
      assert.equal(code, 0, `${output}\n${text}`);
    });
  });
});
