// Starts and joins many processes in batches, ending in every way there is, and looks for what must not grow: descriptors and memory
// of this process and of the zygote, zombies, wrong exit codes. `node scripts/soak.mjs [method [count [batch [seed]]]]`;
// `fork` needs `node --single-threaded --v8-pool-size=1 scripts/soak.mjs fork`.
import { readdirSync, readFileSync } from 'node:fs';
import { Process } from '../dist/lib/index.js';

const [, , startMethod = 'forkserver', count = '1000', batch = '50', seed = '1'] = process.argv;
/** Private memory may move by this much: the collector decides when. */
const MEMORY_SLACK_KIB = 24 * 1024;

let state = Number(seed);
function random(below) {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return (state >>> 8) % below;
}

/** Ways to end, each with the exit code that must come of it. */
const WAYS = [
  [() => {}, [], 0],
  [(code) => process.exit(code), [7], 7],
  [
    (code) => {
      process.exitCode = code;
    },
    [9],
    9,
  ],
  [
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
    },
    [],
    0,
  ],
  [
    () => {
      throw new Error('on purpose');
    },
    [],
    1,
  ],
  [() => process.kill(process.pid, 'SIGKILL'), [], -9],
  [() => process.abort(), [], -6],
  [
    async () => {
      process.kill(process.pid, 'SIGTERM');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    },
    [],
    -15,
  ],
  [
    () => {
      const kept = [];
      for (let i = 0; i < 50_000; i++) kept.push([i]);
      return kept.length;
    },
    [],
    0,
  ],
  [
    async () => {
      const { gzipSync } = await import('node:zlib');
      gzipSync(Buffer.alloc(100_000));
      process.exit(3);
    },
    [],
    3,
  ],
];

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function children() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const stat = read(`/proc/${pid}/stat`);
      const [state_, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const command = read(`/proc/${pid}/cmdline`);
      return parent === String(process.pid) ? [{ pid: Number(pid), state: state_, command }] : [];
    });
}

function measure(pid) {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  const privateKiB = [...rollup.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].reduce(
    (sum, [, kib]) => sum + Number(kib),
    0,
  );
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, privateKiB };
}

function zygote() {
  return children().find(
    ({ command, state: state_ }) => command.includes('entry/zygote.js') && state_ !== 'Z',
  )?.pid;
}

const complaints = [];
async function runBatch(size) {
  const made = Array.from({ length: size }, () => {
    const [target, args, expected] = WAYS[random(WAYS.length)];
    return {
      child: new Process({ startMethod, target, args, stdio: ['ignore', 'ignore', 'ignore'] }),
      expected,
    };
  });
  await Promise.all(made.map(({ child }) => child.start()));
  await Promise.all(made.map(({ child }) => child.join()));
  for (const { child, expected } of made) {
    if (child.exitCode !== expected) complaints.push(`exit code ${child.exitCode}, not ${expected}`);
    child.close();
  }
}

await runBatch(Number(batch));
await runBatch(Number(batch));
const watched = [process.pid, ...(startMethod === 'forkserver' ? [zygote()] : [])];
const before = watched.map(measure);
for (let done = 0; done < Number(count); done += Number(batch)) await runBatch(Number(batch));
const strangers = () => children().filter(({ pid }) => !watched.includes(pid));
const hasMore = () => watched.some((pid, at) => measure(pid).descriptors > before[at].descriptors);
// An exit code is published first, and what belongs to the dead is cleared away after that.
for (let looks = 0; looks < 3000 && (strangers().length > 0 || hasMore()); looks++)
  await new Promise((resolve) => setTimeout(resolve, 10));
const left = strangers();
if (left.length > 0) complaints.push(`left behind: ${JSON.stringify(left)}`);
if (startMethod === 'forkserver' && zygote() !== watched[1]) complaints.push('the zygote was replaced');
for (const [at, pid] of watched.entries()) {
  const name = at === 0 ? 'parent' : 'zygote';
  const now = measure(pid);
  console.log(
    `${name}: ${before[at].descriptors} -> ${now.descriptors} descriptors, ${before[at].privateKiB} -> ${now.privateKiB} KiB`,
  );
  if (now.descriptors > before[at].descriptors) complaints.push(`${name} has more descriptors than before`);
  if (now.privateKiB > before[at].privateKiB + MEMORY_SLACK_KIB) complaints.push(`${name} has grown`);
}
for (const complaint of complaints) console.log(complaint);
console.log(`${process.version} ${startMethod}: ${count} processes, ${complaints.length} complaints`);
process.exitCode = complaints.length === 0 ? 0 : 1;
