import { debuglog } from 'node:util';

const debug = debuglog('furca');

/** Names of the pools that are not over, by a weak hold on them. */
const open = new Map<WeakRef<object>, string>();
const refs = new WeakMap<object, WeakRef<object>>();
let isHooked = false;

/** Remembers a pool, so that a program which forgets to close it can be told (NODE_DEBUG=furca). */
export function noteOpen(pool: object, name: string): void {
  if (!debug.enabled) return;
  const ref = new WeakRef(pool);
  open.set(ref, name);
  refs.set(pool, ref);
  if (isHooked) return;
  isHooked = true;
  process.on('exit', () => {
    for (const forgotten of open.values())
      debug('the pool %s was not closed before the program ended: its workers end with it', forgotten);
  });
}

/** The pool is over. */
export function noteClosed(pool: object): void {
  const ref = refs.get(pool);
  if (ref !== undefined) open.delete(ref);
}
