export type { ReadyReason, Schedulable, SchedulingPolicy } from './pool/schedule/contract.js';
export { Fcfs } from './pool/schedule/fcfs.js';
export { ganttSvg, ganttText } from './pool/schedule/gantt.js';
export { Mlfq, type MlfqOptions } from './pool/schedule/mlfq.js';
export { makePolicy, POLICY_NAMES, type PolicyName } from './pool/schedule/policies.js';
export { Priority } from './pool/schedule/priority.js';
export { playTrace } from './pool/schedule/real-run.js';
export {
  type GanttSpan,
  type JobOutcome,
  type ScheduleRun,
  simulate,
  type TraceJob,
} from './pool/schedule/simulator.js';
export { Sjf } from './pool/schedule/sjf.js';
export { parseTrace } from './pool/schedule/trace-file.js';
