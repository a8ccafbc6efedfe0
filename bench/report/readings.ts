import type { Cell } from '../runner/plan.js';
import type { RowResult } from '../runner/rounds.js';
import { type Summary, summarize } from './figures.js';

/** Median and spread of one figure over the rounds, or nothing when the row gave none. */
export function figureOf(results: readonly RowResult[], cell: Cell): Summary | undefined {
  const values = results
    .find(({ row }) => row.id === cell.row)
    ?.observations.map(({ metrics }) => metrics[cell.metric])
    .filter((value) => value !== undefined);
  return values === undefined || values.length === 0 ? undefined : summarize(values);
}

/** What a row is called in print. */
export function labelOf(results: readonly RowResult[], cell: Cell): string {
  return results.find(({ row }) => row.id === cell.row)?.row.label ?? cell.row;
}
