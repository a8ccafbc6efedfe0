import * as f from './format.js';

/** The keys of an object in a message. */
export interface Shape {
  readonly keys: readonly string[];
  /** The keys in one text. */
  readonly joined: string;
  /** Whether a plain assignment of a key would do something else than make a property. */
  readonly hasProto: boolean;
}

/** Shapes by their joined keys, so that keys of repeated messages are neither split nor looked up again. */
const shapes = new Map<string, Shape>();
const MAX_SHAPES = 512;
const MAX_CHARS = 1024;
let last: Shape = shapeOf('');

/** The shape that was asked for last. */
export function lastShape(): Shape {
  return last;
}

/** The shape of the keys in `joined`. */
export function knownShape(joined: string): Shape {
  if (joined.length > MAX_CHARS) return shapeOf(joined);
  last = shapes.get(joined) ?? remember(joined);
  return last;
}

function shapeOf(joined: string): Shape {
  const keys = joined.split(f.KEY_SEPARATOR);
  return { keys, joined, hasProto: keys.includes('__proto__') };
}

function remember(joined: string): Shape {
  if (shapes.size >= MAX_SHAPES) shapes.clear();
  // Copied: a part of a string keeps the whole string alive, here the text of a message.
  const copy = Buffer.from(joined, 'utf16le').toString('utf16le');
  const shape = shapeOf(copy);
  shapes.set(copy, shape);
  return shape;
}
