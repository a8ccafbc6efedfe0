import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import { ownIdentity } from './identity.js';

/** Prints an error that ends this process, or a thread of it, to stderr, whole, in one write; a closed stderr is no further error. */
export function reportFatal(error: unknown, name: string = ownIdentity().name): void {
  const text = `Uncaught error in ${name} (pid ${process.pid}):\n${inspect(error)}\n`;
  let rest = Buffer.from(text);
  for (let tries = 0; rest.byteLength > 0 && tries < 1000; tries++) {
    try {
      rest = rest.subarray(writeSync(2, rest));
    } catch (failure) {
      if ((failure as NodeJS.ErrnoException).code !== 'EAGAIN') return;
    }
  }
}
