import { writeSync } from 'node:fs';
import { Writable } from 'node:stream';

let release: (() => void) | undefined;

/**
 * Keeps `process.stdout` and `process.stderr` from being made in the zygote: a stream made there would sit in the event
 * loop of every child, and would fit only the kind of file that the zygote writes to.
 *
 * A module that logs while it is preloaded gets a stand-in, which the console keeps; in a child the stand-in hands on to the real stream.
 *
 * @returns Puts the real streams back; the same function at every call.
 */
export function holdBackStreams(): () => void {
  release ??= hold();
  return release;
}

function hold(): () => void {
  const restores = (['stdout', 'stderr'] as const).map((name, index) => {
    const original = Object.getOwnPropertyDescriptor(process, name);
    if (original === undefined) return () => {};
    let isHeld = true;
    const standIn = new Writable({
      decodeStrings: false,
      write(chunk: string | Uint8Array, encoding, done) {
        if (!isHeld) {
          process[name].write(chunk as string, encoding, (error) => done(error));
          return;
        }
        try {
          writeSync(index + 1, Buffer.from(chunk as string));
          done();
        } catch (error) {
          done(error as Error);
        }
      },
    });
    Object.defineProperty(process, name, { get: () => standIn, configurable: true, enumerable: true });
    return () => {
      isHeld = false;
      Object.defineProperty(process, name, original);
    };
  });
  return () => {
    for (const restore of restores) restore();
  };
}
