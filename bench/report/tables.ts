import type { Table } from '../runner/plan.js';
import type { RowResult } from '../runner/rounds.js';
import { format } from './figures.js';
import { figureOf } from './readings.js';
import { tableText } from './table-text.js';

/** One table: per metric the median and the spread over the rounds, then the ratio to the reference row. */
export function renderTable(table: Table, results: readonly RowResult[]): string {
  const [first] = table.metrics;
  const reference = table.rows.find((row) => row.id === table.reference);
  const referenceFigure = figureOf(results, { row: table.reference, metric: first.name });
  const head = [
    '',
    ...table.metrics.flatMap(({ title, unit }) => [`${title} (${unit})`, 'min..max']),
    'ratio',
  ];
  const body = table.rows
    .map((row) => ({ row, result: results.find((candidate) => candidate.row.id === row.id) }))
    .filter(({ result }) => result !== undefined)
    .map(({ row, result }) => {
      if (result?.observations.length === 0) {
        return [row.label, result.skipped === null ? 'FAILED' : 'skipped'];
      }
      const cells = table.metrics.flatMap(({ name }) => {
        const figure = figureOf(results, { row: row.id, metric: name });
        if (figure === undefined) return ['-', ''];
        return [format(figure.median), `${format(figure.min)}..${format(figure.max)}`];
      });
      const own = figureOf(results, { row: row.id, metric: first.name });
      return [row.label, ...cells, ratioText(table, own?.median, referenceFigure?.median)];
    });
  if (body.length === 0) return '';
  const direction = table.better === 'lower' ? 'lower is better' : 'higher is better';
  const note = `ratio: times as good as ${reference?.label ?? table.reference}, by ${first.title}`;
  return `${table.title} (${direction})\n\n${tableText(head, body)}\n${note}\n`;
}

function ratioText(table: Table, own: number | undefined, reference: number | undefined): string {
  if (own === undefined || reference === undefined) return '-';
  return `x${format(table.better === 'lower' ? reference / own : own / reference)}`;
}
