import type { StartMethod } from '../../src/index.js';

/** One behaviour that every start method must have. */
export interface ProcessCase {
  /** A sentence. */
  readonly title: string;
  readonly run: (method: StartMethod) => Promise<void>;
}

/** Collects the cases of one file. */
export function caseList(): {
  readonly cases: ProcessCase[];
  readonly it: (title: string, run: ProcessCase['run']) => void;
} {
  const cases: ProcessCase[] = [];
  return { cases, it: (title, run) => void cases.push({ title, run }) };
}
