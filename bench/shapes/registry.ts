import type { Shape } from '../runner/plan.js';
import { closures } from './closures/shape.js';
import { cluster } from './cluster/shape.js';
import { locks } from './locks/shape.js';
import { losses } from './losses/shape.js';
import { pingPong } from './pingpong/shape.js';
import { pool } from './pool/shape.js';
import { queue } from './queue/shape.js';
import { schedule } from './schedule/shape.js';
import { start } from './start/shape.js';

const SHAPES: readonly Shape[] = [start, pool, pingPong, locks, queue, closures, losses, schedule, cluster];

/** @throws Error when there is no such shape. */
export function shapeNamed(name: string): Shape {
  const shape = SHAPES.find((candidate) => candidate.name === name);
  if (shape === undefined) {
    throw new Error(`no shape '${name}'; there are ${SHAPES.map((candidate) => candidate.name).join(', ')}.`);
  }
  return shape;
}
