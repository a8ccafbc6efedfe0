import yoctoSpinner, { type Spinner } from 'yocto-spinner';
import { Pace } from './pace.js';

const REDRAW_MS = 150;

/** Shows on stderr how far the work has come. Whatever else is written to the terminal by this process goes above it. */
export interface Progress {
  /** One more input is settled. */
  advance(hasFailed: boolean): void;
  stop(): void;
}

/** Progress that nobody sees. */
export const NO_PROGRESS: Progress = { advance: () => {}, stop: () => {} };

/** @param total - Number of inputs; `null` where nobody knows. */
export function showProgress(total: number | null): Progress {
  const pace = new Pace(total, performance.now());
  let done = 0;
  let failed = 0;
  // The command itself decides what a signal does.
  const spinner: Spinner = yoctoSpinner({ handleSignals: false, text: pace.draw(0) }).start();
  const timer = setInterval(() => {
    pace.note(done, performance.now());
    spinner.text = cut(pace.draw(failed));
  }, REDRAW_MS);
  return {
    advance: (hasFailed) => {
      done++;
      if (hasFailed) failed++;
    },
    stop: () => {
      clearInterval(timer);
      spinner.stop();
    },
  };
}

/** One line: the spinner and a blank stand before the text. */
function cut(text: string): string {
  return text.slice(0, Math.max(0, (process.stderr.columns || 80) - 3));
}
