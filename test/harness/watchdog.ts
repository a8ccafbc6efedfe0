import { after, afterEach, beforeEach } from 'node:test';
import { describeFamily } from './proc.js';

/** Longest time anything may take: a guard against hangs, not a measure. */
const HANG_MS = 180_000;
/** A test that takes longer is told of. */
const LONG_MS = 15_000;

/** Runs `body`; one that hangs is given up, and what all descendants do at that moment is in the error. */
export async function guarded<T>(
  what: string,
  body: () => Promise<T> | T,
  hangMs: number = HANG_MS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const ownPid = process.pid;
  const hung = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // A child forked meanwhile has this timer too, and is not who must not hang.
      if (process.pid !== ownPid) return;
      reject(new Error(`${what} hangs for ${hangMs} ms. The family:\n${describeFamily()}`));
    }, hangMs);
    // Unreferenced: a start by fork refuses an event loop that has timers.
    timer.unref();
  });
  try {
    return await Promise.race([Promise.resolve().then(body), hung]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves once `isTrue`; the pause between two looks is no synchronisation, only politeness. */
export async function eventually(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  hangMs: number = HANG_MS,
): Promise<void> {
  const deadline = performance.now() + hangMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) {
      throw new Error(
        `It never came true within ${hangMs} ms that ${what}. The family:\n${describeFamily()}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Prints what the family does whenever a test of this file hangs, before the runner gives it up. */
export function watchTests(hangMs: number = LONG_MS): void {
  let timer: NodeJS.Timeout | undefined;
  beforeEach((context) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      console.error(`'${context.name}' hangs for ${hangMs} ms. The family:\n${describeFamily()}`);
    }, hangMs);
    timer.unref();
  });
  afterEach(() => clearTimeout(timer));
  after(() => clearTimeout(timer));
}
