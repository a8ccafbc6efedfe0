import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sources } from './sources.js';

test('no file of src/ has more than 400 lines', () => {
  const long = sources
    .map(({ path, text }) => [path, text.split('\n').length - 1] as const)
    .filter(([, lines]) => lines > 400);
  assert.deepEqual(long, []);
});

test('file names are kebab-case', () => {
  assert.deepEqual(
    sources.map(({ path }) => path).filter((path) => !/^([a-z0-9-]+\/)*[a-z0-9-]+\.ts$/.test(path)),
    [],
  );
});

test('no type of src/ is any', () => {
  const found = sources.flatMap(({ path, code }) =>
    code
      .split('\n')
      .flatMap((line) =>
        /(?:[:<|&,(=]|\bas)\s*any\b(?!['\w])/.test(line) ? [`${path}: ${line.trim()}`] : [],
      ),
  );
  assert.deepEqual(found, []);
});

test('only programs and the command end the process by themselves', () => {
  const allowed = ['entry', 'cli'];
  const found = sources
    .filter(
      ({ path, code }) => /\bprocess\.exit\(/.test(code) && !allowed.includes(path.split('/')[0] as string),
    )
    .map(({ path }) => path);
  // What runs in a child only: its life, its end for want of work, a worker without a parent.
  assert.deepEqual(
    found.filter((path) => !['process/child.ts', 'process/fatal.ts', 'pool/worker/worker.ts'].includes(path)),
    [],
  );
});
