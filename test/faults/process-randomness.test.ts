import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { FORK_READY, runProgram, writeModule } from '../harness/programs.js';
import { watchTests } from '../harness/watchdog.js';

watchTests();

const DRAWS = `
import { writeSync } from 'node:fs';
import { randomBytes, randomInt, randomUUID, webcrypto } from 'node:crypto';
import { nanoid } from 'nanoid';
import { v4 } from 'uuid';
const early = Math.random;
export const draw = () => {
  const values = [
    Math.random(), Math.random(), early(), randomUUID(), crypto.randomUUID(), webcrypto.randomUUID(), randomInt(2 ** 47), randomInt(2 ** 47),
    randomBytes(8).toString('hex'), [...crypto.getRandomValues(new Uint32Array(2))].join(), nanoid(), nanoid(), v4(),
  ];
  writeSync(1, JSON.stringify(values) + '\\n');
};
`;

const RUN = (url: string, before: string): string => `
import { functionIn, Process } from 'furca';
${before}
const startMethod = process.argv[2];
const target = functionIn(${JSON.stringify(url)}, 'draw');
const children = Array.from({ length: 20 }, () => new Process({ startMethod, target }));
await Promise.all(children.map((child) => child.start()));
await Promise.all(children.map((child) => child.join()));
`;

for (const method of ['forkserver', 'fork'] as const) {
  for (const [when, extra, before] of [
    ['', '', ''],
    [
      ' although the module drew some while it loaded',
      `nanoid(); v4(); Math.random(); randomInt(9); randomUUID();\n`,
      '',
    ],
    [
      ' although the parent drew some before',
      '',
      `import { randomInt, randomUUID } from 'node:crypto'; Math.random(); randomInt(9); randomUUID(); crypto.randomUUID();`,
    ],
  ] as const) {
    test(`${method}: twenty children never draw the same random value${when}`, async () => {
      const url = pathToFileURL(writeModule(DRAWS + extra)).href;
      const { code, stdout, stderr } = await runProgram(RUN(url, before), {
        flags: FORK_READY,
        args: [method],
      });
      assert.equal(code, 0, stderr);
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown[]);
      assert.equal(lines.length, 20, stderr);
      const values = lines.flat().map(String);
      assert.equal(new Set(values).size, 20 * 13);
    });
  }
}
