import { clearScreenDown, moveCursor } from 'node:readline';
import { styleText } from 'node:util';

const REDRAW_MS = 80;
const BAR_CELLS = 28;

/** A terminal that can be drawn over; elsewhere lines only follow each other. */
export const IS_LIVE: boolean = process.stdout.isTTY && process.env['TERM'] !== 'dumb';
const HAS_COLORS = IS_LIVE && !process.env['NO_COLOR'];

type Style = Parameters<typeof styleText>[0];

/** `text` in a style where colours are wanted (https://no-color.org), else as it is. */
export function styled(style: Style, text: string): string {
  return HAS_COLORS && text !== '' ? styleText(style, text) : text;
}

/** A part of the screen that is drawn anew again and again. */
export class LiveLines {
  #drawn = 0;
  #drawnAt = 0;

  /** Draws the lines, unless it has just been done. Draws nothing where nobody would see it move. */
  draw(lines: () => readonly string[]): void {
    const now = performance.now();
    if (!IS_LIVE || now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#replace(lines());
  }

  /** Draws the lines for good. */
  finish(lines: readonly string[]): void {
    this.#replace(lines);
    this.#drawn = 0;
  }

  #replace(lines: readonly string[]): void {
    if (this.#drawn > 0) {
      moveCursor(process.stdout, 0, -this.#drawn);
      clearScreenDown(process.stdout);
    }
    process.stdout.write(lines.map((line) => `${line}\n`).join(''));
    this.#drawn = lines.length;
  }
}

export function bar(part: number, whole: number): string {
  const full = whole === 0 ? 0 : Math.round((part / whole) * BAR_CELLS);
  return styled('green', '━'.repeat(full)) + styled('dim', '╌'.repeat(BAR_CELLS - full));
}

/** Rows as columns: the first to the left, numbers in the second to the right, the rest as it comes. */
export function table(rows: readonly (readonly [string, string, string?])[]): string[] {
  const first = Math.max(...rows.map(([title]) => title.length));
  const second = Math.max(...rows.map(([, value]) => value.length));
  return rows.map(([title, value, note = '']) =>
    `  ${title.padEnd(first)}  ${styled('bold', value.padStart(second))}  ${styled('dim', note)}`.trimEnd(),
  );
}

export function heading(text: string): string {
  return styled(['bold', 'cyan'], text);
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
