import type { Writable } from 'node:stream';

/** Standard streams that this process has made use of; asking Node for one makes it, which costs a millisecond. */
const used = new Set<Writable>();

/** Takes note of which of stdout and stderr are used from now on. */
export function watchOutput(): void {
  for (const name of ['stdout', 'stderr'] as const) {
    const original = Object.getOwnPropertyDescriptor(process, name);
    const make = original?.get;
    if (original === undefined || make === undefined) continue;
    const get = (): unknown => {
      const stream = make.call(process) as Writable;
      used.add(stream);
      return stream;
    };
    Object.defineProperty(process, name, { ...original, get });
  }
}

/** Resolves once what was written to stdout and stderr has been taken; ending earlier would lose it. Never rejects. */
export async function flushOutput(): Promise<void> {
  for (const stream of used) {
    if (stream.writableLength === 0 || stream.destroyed) continue;
    await new Promise<void>((resolve) => {
      // A reader that went away is no failure of a process that is at its end.
      stream.once('error', () => resolve());
      stream.once('close', resolve);
      stream.write('', () => resolve());
    });
  }
}
