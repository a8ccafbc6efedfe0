import { Socket } from 'node:net';
import { isWaitable, type Readiness, WAITABLE, type Waitable } from '../base/waitable.js';
import { badArgument } from './failures.js';
import { afterTurn, type WaitOptions, waiting } from './waiting.js';

/** What {@link wait} can wait for. */
export type WaitObject = Waitable | Socket | PromiseLike<unknown>;

/**
 * Waits until something of `objects` is ready; resolves with all that are, in the order given. None within `timeoutMs`: with an empty
 * array.
 *
 * Ready is a {@link Connection} with a whole message or at its end, a {@link Listener} with a client to accept, a socket that can be read
 * (and is read by `read()`, not by `data` events) or has ended, and a promise that has settled, however: `process.sentinel`, or
 * `setTimeout` of `node:timers/promises`. Nothing is taken out of what is ready.
 *
 * @param options.timeoutMs - Longest wait, in milliseconds; 0 looks at what has arrived by now. Default `Infinity`.
 * @param options.signal - Aborting it gives up the wait and rejects with its reason.
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: something of `objects` cannot be waited for.
 *
 * @example
 * const soon = Promise.resolve();
 * const never = new Promise(() => {});
 * const ready = await wait([never, soon], { timeoutMs: 1000 });
 * ready[0] === soon; // => true
 */
export async function wait<T extends WaitObject>(
  objects: Iterable<T>,
  options: WaitOptions = {},
): Promise<T[]> {
  if (typeof (objects as Iterable<T> | undefined)?.[Symbol.iterator] !== 'function') {
    throw badArgument('Waiting', 'objects', 'an array, or something else that can be iterated');
  }
  const watched = [...objects].map((object) => ({ object, readiness: readinessOf(object) }));
  const ready = (): T[] => watched.filter(({ readiness }) => readiness.isReady()).map(({ object }) => object);
  const stops: (() => void)[] = [];
  try {
    return await waiting<T[]>(
      'Waiting',
      options,
      ({ resolve }) => {
        let stopTurn: (() => void) | undefined;
        // Not before the event loop has turned: what became ready at the same time is to be among them.
        const look = (): void => {
          stopTurn ??= afterTurn(() => {
            stopTurn = undefined;
            const found = ready();
            if (found.length > 0) resolve(found);
          });
        };
        for (const { readiness } of watched) stops.push(readiness.watch(look));
        ready();
        look();
        return () => stopTurn?.();
      },
      ready,
    );
  } finally {
    for (const stop of stops) stop();
  }
}

function readinessOf(object: unknown): Readiness {
  if (isWaitable(object)) return object[WAITABLE];
  if (object instanceof Socket) return socketReadiness(object);
  if (typeof (object as PromiseLike<unknown> | undefined)?.then === 'function') {
    return promiseReadiness(object as PromiseLike<unknown>);
  }
  throw badArgument('Waiting', 'each object', 'a Connection, a Listener, a Socket or a promise');
}

function socketReadiness(socket: Socket): Readiness {
  return {
    isReady: () => socket.readableLength > 0 || socket.readableEnded || socket.destroyed,
    watch: (look) => {
      const events = ['readable', 'end', 'close', 'error'] as const;
      for (const event of events) socket.on(event, look);
      return () => {
        for (const event of events) socket.off(event, look);
      };
    },
  };
}

function promiseReadiness(promise: PromiseLike<unknown>): Readiness {
  let isSettled = false;
  const looks = new Set<() => void>();
  const settle = (): void => {
    isSettled = true;
    for (const look of looks) look();
  };
  promise.then(settle, settle);
  return {
    isReady: () => isSettled,
    watch: (look) => {
      looks.add(look);
      return () => looks.delete(look);
    },
  };
}
