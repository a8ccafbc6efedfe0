import { UsageError } from '../../base/errors.js';
import type { TraceJob } from './simulator.js';

/**
 * Reads jobs from text: a line each, `name,arrival ms,run ms[,priority]`; a first line of words and lines that begin with `#` do not
 * count.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`, with the number of the line.
 *
 * @example
 * parseTrace('name,arrival,run\nA,0,30\nB,10,5'); // => [{ name: 'A', arrivalMs: 0, runMs: 30 }, { name: 'B', arrivalMs: 10, runMs: 5 }]
 */
export function parseTrace(text: string): TraceJob[] {
  const jobs = text.split(/\r?\n/).flatMap((line, index): TraceJob[] => {
    const cells = line.split(',').map((cell) => cell.trim());
    if (line.trim() === '' || line.startsWith('#')) return [];
    if (index === 0 && cells.slice(1).every((cell) => Number.isNaN(Number(cell)))) return [];
    const [name = '', arrival = '', run = '', priority] = cells;
    const arrivalMs = numberFrom(arrival);
    const runMs = numberFrom(run);
    const level = priority === undefined || priority === '' ? 0 : Number(priority);
    if (name === '' || !(arrivalMs >= 0) || !(runMs > 0) || Number.isNaN(level))
      throw badLine(index + 1, line);
    return [level === 0 ? { name, arrivalMs, runMs } : { name, arrivalMs, runMs, priority: level }];
  });
  if (jobs.length === 0) throw new UsageError('Reading the trace failed: there is no job in it.');
  return jobs;
}

function numberFrom(text: string): number {
  return text === '' ? Number.NaN : Number(text);
}

function badLine(number: number, line: string): UsageError {
  return new UsageError(
    `Reading the trace failed: line ${number}, '${line}', is not name,arrival in ms,run in ms above 0[,priority].`,
  );
}
