// Throws the same errors in the workers of furca and of other pools, and prints what of them arrives, as a table in Markdown:
// `npm run build && node scripts/error-table.mjs`. docs/what-can-be-sent.md holds what it printed last.
import { isDeepStrictEqual } from 'node:util';
import { Piscina } from 'piscina';
import { Tinypool } from 'tinypool';
import workerpool from 'workerpool';
import { Pool } from '../dist/lib/index.js';
import { QuotaError, throwIt } from './error-table/tasks.mjs';

const tasks = new URL('error-table/tasks.mjs', import.meta.url);

const POOLS = {
  furca: () => {
    const pool = new Pool(1);
    return { run: (kind) => pool.apply(throwIt, [kind]), end: () => pool.close() };
  },
  piscina: () => {
    const pool = new Piscina({ filename: tasks.href, maxThreads: 1 });
    return { run: (kind) => pool.run(kind), end: () => pool.destroy() };
  },
  'tinypool, threads': () => tinypool('worker_threads'),
  'tinypool, processes': () => tinypool('child_process'),
  'workerpool, threads': () => ofWorkerpool('thread'),
  'workerpool, processes': () => ofWorkerpool('process'),
};

function tinypool(runtime) {
  const pool = new Tinypool({ filename: tasks.href, runtime, maxThreads: 1, minThreads: 1 });
  return { run: (kind) => pool.run(kind), end: () => pool.destroy() };
}

function ofWorkerpool(workerType) {
  const script = new URL('error-table/workerpool-worker.mjs', import.meta.url).pathname;
  const pool = workerpool.pool(script, { workerType, maxWorkers: 1 });
  return { run: (kind) => pool.exec('throwIt', [kind]), end: () => pool.terminate() };
}

/** What should be true of what arrives. */
const ROWS = [
  ['subclass', '`class QuotaError extends TypeError`: it is a `QuotaError`', (e) => e instanceof QuotaError],
  ['subclass', 'it is a `TypeError`', (e) => e instanceof TypeError],
  ['subclass', '`name`', (e) => e.name === 'QuotaError'],
  ['subclass', '`message`', (e) => e.message === 'over quota'],
  ['subclass', '`code`', (e) => e.code === 'E_QUOTA'],
  ['bigint', 'a `BigInt` property', (e) => e.used === 2n ** 64n],
  [
    'subclass',
    '`cause`: a `RangeError`',
    (e) => e.cause instanceof RangeError && e.cause.message === 'disk is full',
  ],
  ['subclass', "the worker's frames in `stack`", (e) => /tasks\.mjs:\d+/.test(e.stack)],
  ['subclass', "the caller's frames in `stack`", (e) => /error-table\.mjs:\d+/.test(e.stack)],
  ['aggregate', '`AggregateError`: its class', (e) => e instanceof AggregateError],
  [
    'aggregate',
    '`errors` with their classes',
    (e) => e.errors?.[0] instanceof TypeError && e.errors[1].message === 'second',
  ],
  ['text', 'a thrown string', (e) => e === 'only a text'],
  ['object', 'a thrown object', (e) => isDeepStrictEqual(e, { status: 404, tags: ['a'] })],
];

/** What a promise is rejected with; a pool that never answers gets half a minute. */
async function failureOf(promise) {
  const late = new Promise((resolve) => setTimeout(resolve, 30_000, 'no answer').unref());
  try {
    return await Promise.race([promise, late]);
  } catch (error) {
    return error;
  }
}

const columns = [];
for (const [name, open] of Object.entries(POOLS)) {
  const arrived = {};
  for (const kind of ['subclass', 'bigint', 'aggregate', 'text', 'object']) {
    // A pool for each, as some of these end the worker of some.
    const pool = open();
    arrived[kind] = await failureOf(pool.run(kind));
    await pool.end();
  }
  columns.push([name, arrived]);
}

function isKept(check, value) {
  try {
    return check(value) === true;
  } catch {
    return false;
  }
}

console.log(`| | ${columns.map(([name]) => name).join(' | ')} |`);
console.log(`|---|${columns.map(() => '---').join('|')}|`);
for (const [kind, title, check] of ROWS) {
  const cells = columns.map(([, arrived]) => (isKept(check, arrived[kind]) ? 'yes' : '**no**'));
  console.log(`| ${title} | ${cells.join(' | ')} |`);
}
