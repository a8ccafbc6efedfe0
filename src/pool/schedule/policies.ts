import type { SchedulingPolicy } from './contract.js';
import { Fcfs } from './fcfs.js';
import { Mlfq } from './mlfq.js';
import { Priority } from './priority.js';
import { Sjf } from './sjf.js';

/** The policies that a pool knows by name. */
export type PolicyName = 'fcfs' | 'sjf' | 'priority' | 'mlfq';

export const POLICY_NAMES: readonly PolicyName[] = ['fcfs', 'sjf', 'priority', 'mlfq'];

/** A fresh policy; each pool, and each simulation, needs its own. */
export function makePolicy(name: PolicyName): SchedulingPolicy {
  switch (name) {
    case 'fcfs':
      return new Fcfs();
    case 'sjf':
      return new Sjf();
    case 'priority':
      return new Priority();
    case 'mlfq':
      return new Mlfq();
  }
}
