import { pythonError } from './shared-object.js';

/** Which items of a list: a slice of Python. */
export interface Slice {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step?: number | null;
}

/** What a slice of Python takes. */
export function sliced(items: readonly unknown[], { start, stop, step }: Slice): unknown[] {
  const stride = step ?? 1;
  if (stride === 1) return items.slice(start ?? undefined, stop ?? undefined);
  if (!Number.isInteger(stride) || stride === 0)
    throw pythonError('ValueError', 'slice step must be a whole number other than 0');
  // Backwards the end of the list is behind its first item.
  const [lowest, highest] = stride > 0 ? [0, items.length] : [-1, items.length - 1];
  const within = (at: number): number => Math.min(Math.max(at < 0 ? at + items.length : at, lowest), highest);
  const first = start === null ? (stride > 0 ? lowest : highest) : within(start);
  const end = stop === null ? (stride > 0 ? highest : lowest) : within(stop);
  const taken: unknown[] = [];
  for (let at = first; stride > 0 ? at < end : at > end; at += stride) taken.push(items[at]);
  return taken;
}

/** For what only a single item can be given to. */
export function refuseSlice(index: unknown): void {
  if (typeof index === 'object')
    throw pythonError('TypeError', 'slices of a shared list can be read, not assigned or deleted');
}
