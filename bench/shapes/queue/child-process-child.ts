/** Sends what it is asked for: `count` small items, or buffers of `bytes`; or returns what comes. */
import { makeItem } from './counts.js';

interface Request {
  readonly count: number;
  readonly bytes: number;
}

/** Small items all at once, which is the fastest it can do; large ones each when the one before has left, to bound its memory. */
function sendAll({ count, bytes }: Request): void {
  if (bytes === 0) {
    for (let id = 0; id < count; id++) process.send?.(makeItem(id));
    return;
  }
  const buffer = new Uint8Array(bytes).fill(1);
  const next = (left: number): void => {
    if (left > 0) process.send?.(buffer, () => next(left - 1));
  };
  next(count);
}

process.on('message', (message: Request | number) => {
  if (typeof message === 'number') process.send?.(message);
  else sendAll(message);
});
process.send?.('ready');
