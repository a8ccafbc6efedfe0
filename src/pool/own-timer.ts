/**
 * A timer for the upkeep of a pool. It keeps no program alive: the pool itself does while it has work; and a timer that did would
 * keep workers from being forked. A forked worker inherits it, and there it does nothing.
 */
export function ownTimer(step: () => void, ms: number): NodeJS.Timeout {
  const ownPid = process.pid;
  return setTimeout(() => {
    if (process.pid === ownPid) step();
  }, ms).unref();
}
