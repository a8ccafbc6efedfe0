import type { Cell, FactorTarget, LimitTarget, Target } from '../runner/plan.js';
import type { RowResult } from '../runner/rounds.js';
import { format, type Summary } from './figures.js';
import { figureOf, labelOf } from './readings.js';

type Verdict = 'pass' | 'MISS' | '----';

function line(verdict: Verdict, claim: string, facts: string): string {
  return `${verdict}  ${claim}: ${facts}`;
}

/** One line per target: whether it was reached, and the figures it was judged by. */
export function judge(target: Target, results: readonly RowResult[]): string {
  return target.kind === 'factor' ? judgeFactor(target, results) : judgeLimit(target, results);
}

function judgeFactor(target: FactorTarget, results: readonly RowResult[]): string {
  const { subject, rivals, claim, factor, better } = target;
  const own = figureOf(results, subject);
  if (own === undefined) return line('----', claim, `no figure of ${labelOf(results, subject)}`);
  const measured = rivals
    .map((cell) => ({ cell, figure: figureOf(results, cell) }))
    .filter((rival): rival is { cell: Cell; figure: Summary } => rival.figure !== undefined);
  const best = measured.reduce<(typeof measured)[number] | undefined>((so, rival) => {
    if (so === undefined) return rival;
    const isBetter =
      better === 'lower' ? rival.figure.median < so.figure.median : rival.figure.median > so.figure.median;
    return isBetter ? rival : so;
  }, undefined);
  if (best === undefined)
    return line('----', claim, `no figure of ${rivals.map((cell) => labelOf(results, cell)).join(', ')}`);

  const ratio = better === 'lower' ? best.figure.median / own.median : own.median / best.figure.median;
  const missing = rivals.length - measured.length;
  const facts = [
    factor < 1
      ? `${format(1 / ratio)} times as much, ${format(1 / factor)} allowed`
      : `x${format(ratio)} of x${format(factor)}`,
    `(${format(own.median)} against ${format(best.figure.median)} of ${labelOf(results, best.cell)})`,
    ...(overlaps(own, best.figure) ? ['- the spreads overlap'] : []),
    ...(missing > 0 ? [`- ${missing} of ${rivals.length} rivals not measured`] : []),
  ];
  return line(ratio >= factor ? 'pass' : 'MISS', claim, facts.join(' '));
}

function judgeLimit(target: LimitTarget, results: readonly RowResult[]): string {
  const figures = target.subjects.map((cell) => ({ cell, figure: figureOf(results, cell) }));
  const facts = figures
    .map(
      ({ cell, figure }) =>
        `${labelOf(results, cell)} ${figure === undefined ? 'not measured' : format(figure.median)}`,
    )
    .join(', ');
  const isMeasured = figures.every(({ figure }) => figure !== undefined);
  const isWithin = figures.every(({ figure }) => figure === undefined || figure.median <= target.limit);
  const verdict = isWithin ? (isMeasured ? 'pass' : '----') : 'MISS';
  return line(verdict, target.claim, `${facts} of ${target.limit} ${target.unit}`);
}

function overlaps(a: Summary, b: Summary): boolean {
  return a.min <= b.max && b.min <= a.max;
}
