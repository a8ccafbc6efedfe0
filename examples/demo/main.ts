/**
 * Parses every JavaScript file under a folder in forked processes, counts what is in them, and tells what it took:
 * `node dist/examples/demo/main.js [folder]`, by default this project's own node_modules.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpuCount, Pool } from 'furca';
import { findFiles, type SourceFile } from './find-files.js';
import { measureForks } from './fork-cost.js';
import { OtherLoad } from './other-load.js';
import { parseFile } from './parse-file.js';
import { type Run, showCosts, showFindings, showStart } from './report.js';
import { bar, count, LiveLines, megabytes, seconds } from './screen.js';
import { Totals } from './totals.js';

/** Time that the run in one process may take; of a large folder it does a part. */
const ALONE_WITHIN_MS = 25_000;

const folder = resolve(process.argv[2] ?? fileURLToPath(new URL('../../../node_modules', import.meta.url)));
const workers = cpuCount();
const files = await findFiles(folder);
if (files.length === 0) {
  console.error(`There is no JavaScript under ${folder}.`);
  process.exit(1);
}

showStart(folder, files.length, workers);
const cost = await measureForks();
const whole = await inWorkers(files);
const step = Math.max(1, Math.ceil((whole.elapsedMs * workers) / ALONE_WITHIN_MS));
const sample = files.filter((_, index) => index % step === 0);
const pooled = step === 1 ? whole : await inWorkers(sample);
const alone = await inThisProcess(sample);
showFindings(folder, whole.totals);
showCosts({ pooled, alone, workers, step, cost });
if (!pooled.totals.equals(alone.totals)) {
  console.error('The two runs have found different things: please report this.');
  process.exitCode = 1;
}

/** The job itself: these few lines are what furca is about. */
async function inWorkers(sources: readonly SourceFile[]): Promise<Run> {
  const totals = new Totals();
  const screen = new LiveLines();
  const load = new OtherLoad();
  const paths = sources.map(({ path }) => path);
  const began = performance.now();
  const pool = new Pool(workers);
  for await (const facts of pool.imapUnordered(parseFile, paths, { chunkSize: 1 })) {
    totals.add(facts);
    screen.draw(() => shares(totals, sources, began));
  }
  const elapsedMs = performance.now() - began;
  const otherLoad = load.since(totals.cpuMs);
  await pool.close();
  screen.finish([...shares(totals, sources, began), '']);
  return { totals, elapsedMs, otherLoad };
}

/** The same function over the same files, one after the other, in the ordinary Node process that runs this program. */
async function inThisProcess(sources: readonly SourceFile[]): Promise<Run> {
  const totals = new Totals();
  const screen = new LiveLines();
  const load = new OtherLoad();
  const all = bytesOf(sources);
  const began = performance.now();
  for (const { path } of sources) {
    totals.add(parseFile(path));
    screen.draw(() => [`  one process     ${bar(totals.bytes, all)} ${counted(totals.files)}`]);
  }
  const elapsedMs = performance.now() - began;
  // What this process itself used, `load` knows.
  const otherLoad = load.since(0);
  screen.finish([]);
  return { totals, elapsedMs, otherLoad };
}

/** What each worker has done. A bar is its part of all bytes, for those are what takes the time. */
function shares(totals: Totals, sources: readonly SourceFile[], began: number): string[] {
  const all = bytesOf(sources);
  const rows = [...totals.shares].map(([pid, { files, bytes, busyMs }]) => {
    const done = `${counted(files)}  ${megabytes(bytes).padStart(8)}  ${seconds(busyMs)} busy`;
    return `  worker ${String(pid).padEnd(8)} ${bar(bytes, all)} ${done}`;
  });
  const rate = `${count((totals.files * 1000) / (performance.now() - began))} files/s`;
  const done = `${counted(totals.files)}  ${megabytes(totals.bytes).padStart(8)}  ${rate}`;
  return [...rows, `  together        ${bar(totals.bytes, all)} ${done}`];
}

function counted(files: number): string {
  return `${count(files).padStart(6)} files`;
}

function bytesOf(sources: readonly SourceFile[]): number {
  return sources.reduce((sum, { bytes }) => sum + bytes, 0);
}
