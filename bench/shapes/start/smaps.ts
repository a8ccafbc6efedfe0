import { readFileSync } from 'node:fs';

import { mean } from '../../report/figures.js';

interface Memory {
  readonly privateDirtyMb: number;
  readonly pssMb: number;
}

function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const megabytes = (field: string): number => {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text);
    if (found === null) throw new Error(`smaps_rollup has no ${field}.`);
    return Number(found[1]) / 1_024;
  };
  return { privateDirtyMb: megabytes('Private_Dirty'), pssMb: megabytes('Pss') };
}

/** Memory of all `pids`, read while all of them live: an average child, and the largest. */
export function memoryMetrics(pids: readonly number[]): Record<string, number> {
  const all = pids.map(memoryOf);
  const dirty = all.map(({ privateDirtyMb }) => privateDirtyMb);
  return {
    dirtyMb: mean(dirty),
    largestDirtyMb: Math.max(...dirty),
    pssMb: mean(all.map(({ pssMb }) => pssMb)),
  };
}
