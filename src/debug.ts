/** Looks into a family from outside; in `furca` as `debug`. */
export { type Wait, type WaitGraph, type WaitingMember, waitGraph } from './sync/wait-graph.js';
