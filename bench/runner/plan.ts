/**
 * The vocabulary of a bench: a shape has tables, a table has rows, a row is observed in a fresh process and
 * gives named figures. Everything here is data; `runner/` runs it and `report/` prints it.
 */

/** `full` gives figures to rely on, `quick` only proves that every row works. */
export type Mode = 'full' | 'quick';

/** What one fresh process reports. */
export interface Observation {
  /** One figure per metric of the row's table. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Single measurements behind the figures, where they are few enough to keep. */
  readonly samples?: readonly number[];
}

/** Runs inside `observe.js`, started fresh by the driver. */
export interface NodeProgram {
  readonly kind: 'node';
  /** Flags of the observing process. */
  readonly execArgv?: readonly string[];
  readonly observe: (mode: Mode) => Promise<Observation>;
}

/** A script below `bench/`, run by `python3`; prints the same JSON line as `observe.js`. */
export interface PythonProgram {
  readonly kind: 'python';
  readonly script: string;
  readonly args: (mode: Mode) => readonly string[];
}

export type Program = NodeProgram | PythonProgram;

export interface Row {
  /** Unique within the shape. */
  readonly id: string;
  readonly label: string;
  readonly program: Program;
  /** Keeps the whole family on the first CPU: takes the cost of waking an idle CPU out of the figure. */
  readonly isPinned?: boolean;
  /** Options that differ from the rival's defaults, and why; empty when there are none. */
  readonly settings: string;
}

export type Better = 'lower' | 'higher';

export interface Metric {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
}

export interface Table {
  readonly title: string;
  /** Of all metrics of this table. */
  readonly better: Better;
  /** The first one is what the ratio is made of. */
  readonly metrics: readonly [Metric, ...Metric[]];
  /** The row all others are compared with. */
  readonly reference: string;
  readonly rows: readonly Row[];
}

/** One figure of one row. */
export interface Cell {
  readonly row: string;
  readonly metric: string;
}

/** `subject` must be at least `factor` times as good as the best of `rivals`. */
export interface FactorTarget {
  readonly kind: 'factor';
  readonly claim: string;
  readonly better: Better;
  readonly factor: number;
  readonly subject: Cell;
  readonly rivals: readonly Cell[];
}

/** Each of `subjects` must not exceed `limit`. */
export interface LimitTarget {
  readonly kind: 'limit';
  readonly claim: string;
  readonly limit: number;
  readonly unit: string;
  readonly subjects: readonly Cell[];
}

export type Target = FactorTarget | LimitTarget;

export interface Shape {
  readonly name: string;
  readonly tables: readonly Table[];
  readonly targets: readonly Target[];
  /** Longest time one observation may take, in milliseconds; it is killed then. */
  readonly timeoutMs: number;
}

/** All rows of a shape; a row that stands in several tables is observed once a round. */
export function rowsOf(shape: Shape): Row[] {
  const rows = new Map<string, Row>();
  for (const table of shape.tables) {
    for (const row of table.rows) rows.set(row.id, row);
  }
  return [...rows.values()];
}
