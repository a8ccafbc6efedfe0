import { KEY_SEPARATOR } from './format.js';

/** The keys of an object in order, as the writer remembers them from message to message. */
export interface KnownShape {
  readonly keys: readonly string[];
  /** The keys as they stand in a message, or `null` when a key holds the separator. */
  readonly joined: string | null;
  /** Message that described this shape last, and the number it has there. */
  message: number;
  number: number;
}

const REMEMBERED = 16;
/** An object with more keys is a dictionary: its keys are hardly seen again, and would stay in memory. */
const MAX_KEYS = 64;

function describe(keys: readonly string[]): KnownShape {
  const joined = keys.some((key) => key.includes(KEY_SEPARATOR)) ? null : keys.join(KEY_SEPARATOR);
  return { keys, joined, message: -1, number: -1 };
}

/** The last few shapes that were sent. */
export class ShapeMemory {
  private readonly shapes: (KnownShape | undefined)[] = new Array<KnownShape | undefined>(REMEMBERED).fill(
    undefined,
  );
  private latest = 0;

  /** Finds the shape with these keys; makes it when it is new. */
  find(keys: readonly string[]): KnownShape {
    const { shapes } = this;
    const { length } = keys;
    if (length > MAX_KEYS) return describe(keys);
    // From the latest backwards: rows of one table come in a row.
    for (let back = 0; back < REMEMBERED; back += 1) {
      const index = (this.latest - back) & (REMEMBERED - 1);
      const shape = shapes[index];
      if (shape === undefined) break;
      if (shape.keys.length !== length) continue;
      let same = 0;
      while (same < length && shape.keys[same] === keys[same]) same += 1;
      if (same === length) return shape;
    }
    const shape = describe(keys);
    this.latest = (this.latest + 1) & (REMEMBERED - 1);
    shapes[this.latest] = shape;
    return shape;
  }

  /** Forgets what `message` described as shape `number` and on: that part of it was taken back. */
  takeBack(message: number, number: number): void {
    for (const shape of this.shapes) {
      if (shape !== undefined && shape.message === message && shape.number >= number) shape.message = -1;
    }
  }
}
