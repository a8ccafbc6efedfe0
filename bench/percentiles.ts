export interface Percentiles extends Readonly<Record<string, number>> {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export function percentiles(samples: readonly number[]): Percentiles {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] as number;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
