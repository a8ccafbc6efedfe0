import { relative } from 'node:path';
import type { ForkCost } from './fork-cost.js';
import { count, heading, megabytes, seconds, styled, table } from './screen.js';
import type { Largest, Totals } from './totals.js';

/** How one way of doing the job went. */
export interface Run {
  readonly totals: Totals;
  readonly elapsedMs: number;
  /** Share of the CPUs that other programs took meanwhile. */
  readonly otherLoad: number;
}

/** A share of other programs above which the figures are not worth much. */
const LOAD_TO_MENTION = 0.1;

export function showStart(folder: string, files: number, workers: number): void {
  console.log(heading('furca: every JavaScript file under a folder, parsed in forked processes'));
  console.log(
    `${relative('', folder) || '.'} · ${count(files)} files · ${workers} workers · Node ${process.versions.node}\n`,
  );
}

export function showFindings(folder: string, totals: Totals): void {
  const at = (largest: Largest | null): string =>
    largest === null ? '' : `${relative(folder, largest.path)}:${largest.line}`;
  const { longest, deepest, unparsed } = totals;
  const names = totals.topNames(5).map(([name, uses]) => `${name} ${count(uses)}`);
  console.log(heading('What is in there'));
  print([
    [
      'files',
      count(totals.files),
      unparsed === 0 ? 'all parsed' : `${unparsed} skipped: acorn cannot parse them`,
    ],
    ['lines', count(totals.lines), `${count(totals.lines / totals.files)} a file`],
    [
      'functions',
      count(totals.functions),
      `${count(totals.asyncFunctions)} async, ${count(totals.awaits)} awaits`,
    ],
    ['classes', count(totals.classes)],
    ['imports', count(totals.imports), 'import and require'],
    ['size', megabytes(totals.bytes), `${megabytes(totals.bytesSent)} to download, compressed by brotli`],
    ['longest function', `${count(longest?.size ?? 0)} lines`, `${longest?.name ?? ''}, ${at(longest)}`],
    ['deepest nesting', `${deepest?.size ?? 0} levels`, at(deepest)],
    ['favourite name', names[0] ?? '', names.slice(1).join(' · ')],
  ]);
}

export interface Costs {
  readonly pooled: Run;
  readonly alone: Run;
  readonly workers: number;
  /** The two runs did every so-manieth file. */
  readonly step: number;
  readonly cost: ForkCost;
}

export function showCosts({ pooled, alone, workers, step, cost }: Costs): void {
  const { firstMs, forkMs, nodeMs, ownBytes } = cost;
  const rate = ({ totals, elapsedMs }: Run): string => `${count((totals.files * 1000) / elapsedMs)} files/s`;
  const gain = (alone.elapsedMs / pooled.elapsedMs).toFixed(2);
  console.log(heading(`What it took${step === 1 ? '' : `, on one file of ${step}`}`));
  print([
    ['one process', seconds(alone.elapsedMs), rate(alone)],
    [`${workers} workers`, seconds(pooled.elapsedMs), `${rate(pooled)}, ${gain} times as fast`],
    [
      'a process',
      `${forkMs.toFixed(1)} ms`,
      `from start to end; child_process.fork takes ${nodeMs.toFixed(0)} ms`,
    ],
    ['the first one', `${firstMs.toFixed(0)} ms`, 'with the zygote that all others are forked from'],
    [
      'memory of each',
      ownBytes === null ? '?' : megabytes(ownBytes),
      'its own while idle; it shares the rest',
    ],
  ]);
  const otherLoad = Math.max(pooled.otherLoad, alone.otherLoad);
  for (const line of [
    'Both ran the same function on the same files, once each, in turn; the time of the workers includes their start.',
    `${workers} workers can be ${workers} times as fast at best: each has to warm up its own compiler, and one Node process alone`,
    'uses a second CPU for itself now and then.',
    ...(otherLoad < LOAD_TO_MENTION
      ? []
      : [
          `Other programs took ${Math.round(otherLoad * 100)} % of the CPUs meanwhile: both times are longer than need be.`,
        ]),
  ]) {
    console.log(styled('dim', line));
  }
}

function print(rows: readonly (readonly [string, string, string?])[]): void {
  console.log(`${table(rows).join('\n')}\n`);
}
