import type { JobOutcome, ScheduleRun } from './simulator.js';

const COLOURS = ['#4477aa', '#ee6677', '#228833', '#ccbb44', '#66ccee', '#aa3377', '#ff8844', '#777777'];
const ROW_PX = 22;
const LABEL_PX = 90;

/** The jobs in the order they came. */
function inOrder(run: ScheduleRun): readonly JobOutcome[] {
  return [...run.jobs].sort((a, b) => a.arrivalMs - b.arrivalMs || a.name.localeCompare(b.name));
}

function lengthOf(run: ScheduleRun): number {
  return Math.max(1, ...run.jobs.map(({ endMs }) => endMs));
}

/** A chart for the terminal: a row for each job, `█` where it runs and `·` where it waits or is stopped, then the figures. */
export function ganttText(run: ScheduleRun, columns: number = 80): string {
  const names = inOrder(run);
  const label = Math.min(12, Math.max(3, ...names.map(({ name }) => name.length)));
  const cells = Math.max(20, columns - label - 3);
  const msPerCell = lengthOf(run) / cells;
  const rows = names.map((job) => {
    const spans = run.spans.filter((span) => span.job === job.name);
    const row = Array.from({ length: cells }, (_, at) => {
      const [from, to] = [at * msPerCell, (at + 1) * msPerCell];
      if (spans.some((span) => span.fromMs < to && span.toMs > from)) return '█';
      return to > job.arrivalMs && from < job.endMs ? '·' : ' ';
    }).join('');
    return `${job.name.slice(0, label).padEnd(label)} │${row}│`;
  });
  const end = `${ms(lengthOf(run))}`;
  const axis = `${' '.repeat(label)} 0${end.padStart(cells)}`;
  return [`${run.policy}, ${run.cpus} at a time`, ...rows, axis, figures(run)].join('\n');
}

function figures(run: ScheduleRun): string {
  return `mean turnaround ${ms(run.meanTurnaroundMs)} · response ${ms(run.meanResponseMs)} · wait ${ms(run.meanWaitMs)}`;
}

function ms(value: number): string {
  return `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ms`;
}

/** The same chart as an SVG image, with the figures as its title. */
export function ganttSvg(runs: readonly ScheduleRun[], widthPx: number = 800): string {
  const longest = Math.max(...runs.map(lengthOf));
  const scale = (widthPx - LABEL_PX - 10) / longest;
  let y = 0;
  const parts: string[] = [];
  for (const run of runs) {
    parts.push(text(8, y + 16, `${run.policy}, ${run.cpus} at a time: ${figures(run)}`, 'bold'));
    y += ROW_PX;
    inOrder(run).forEach((job, index) => {
      const colour = COLOURS[index % COLOURS.length] as string;
      parts.push(text(8, y + 15, job.name.slice(0, 12)));
      parts.push(rect(LABEL_PX + job.arrivalMs * scale, y + 9, job.turnaroundMs * scale, 4, '#ddd'));
      for (const span of run.spans) {
        if (span.job !== job.name) continue;
        parts.push(
          rect(LABEL_PX + span.fromMs * scale, y + 4, (span.toMs - span.fromMs) * scale, 14, colour),
        );
      }
      y += ROW_PX;
    });
    y += ROW_PX / 2;
  }
  const size = `width="${widthPx}" height="${y}" viewBox="0 0 ${widthPx} ${y}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="#fff"/>\n${parts.join('\n')}\n</svg>\n`;
}

function rect(x: number, y: number, width: number, height: number, fill: string): string {
  const [left, wide] = [x.toFixed(1), Math.max(0.5, width).toFixed(1)];
  return `<rect x="${left}" y="${y}" width="${wide}" height="${height}" fill="${fill}"/>`;
}

function text(x: number, y: number, said: string, weight = 'normal'): string {
  const escaped = said.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" font-weight="${weight}">${escaped}</text>`;
}
