import type { CarriedStorage } from '../../wire/async-context.js';
import type { WorkerSettings } from '../crew/worker-link.js';
import type { SettlementRules } from '../dispatch/settlement.js';
import type { LadderSettings } from '../dispatch/stopping-ladder.js';
import type { SchedulingPolicy } from '../schedule/contract.js';

/** How the pool wants its tasks and workers treated. */
export interface DispatchSettings extends WorkerSettings, SettlementRules, LadderSettings {
  readonly size: number;
  readonly retries: number;
  readonly taskTimeoutMs: number;
  readonly backoffMs: number;
  readonly maxTasksPerChild: number;
  readonly idleTimeoutMs: number;
  /** Start workers only when there is work for them. */
  readonly isOnDemand: boolean;
  /** Send a worker its next task before it has done the last one. */
  readonly sendsAhead: boolean;
  /** `undefined`: first come, first served. */
  readonly policy: SchedulingPolicy | undefined;
  readonly maxStopped: number;
  readonly maxMemoryPerChildBytes: number;
  readonly memoryBudgetBytes: number;
  readonly carry: readonly CarriedStorage[];
}
