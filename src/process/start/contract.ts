import type { ProcessRecord } from '../../arena/process-record.js';

/** What every way of starting a process answers. */
export interface Started {
  readonly record: ProcessRecord;
  /** Looks after what nobody may ever tell: the end of a child that this process reaps itself, the death of the zygote that would. */
  readonly probe: () => void;
  /** How often a wait that blocks this thread should call it, in milliseconds. */
  readonly probeMs: number;
}
