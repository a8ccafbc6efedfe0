import { ownMembership } from '../arena/member.js';
import type { WaitOptions } from '../arena/parking.js';
import { isCurrent } from '../arena/slots.js';
import { ownIdentity } from './identity.js';

/** The process that started this one. */
export interface ParentProcess {
  readonly pid: number;
  readonly name: string;
  /** Tells whether it still runs. */
  isAlive(): boolean;
  /** Resolves once it has ended; errors as {@link Process.join}. */
  join(options?: WaitOptions): Promise<void>;
}

/** Nobody wakes a child when its parent ends, except by ending it: it looks itself. */
const LOOK_MS = 20;

/**
 * The process that started this one; `null` in the first process.
 *
 * @example
 * parentProcess(); // => null
 */
export function parentProcess(): ParentProcess | null {
  const { parent } = ownIdentity();
  if (parent === null) return null;
  const { arena, parking } = ownMembership();
  const isAlive = (): boolean => isCurrent(arena, parent.owner);
  return {
    pid: parent.pid,
    name: parent.name,
    isAlive,
    async join(options = {}) {
      const timer = setInterval(() => parking.expectSoon(), LOOK_MS);
      try {
        await parking.waitUntil(() => !isAlive(), `Joining ${parent.name}`, options);
      } finally {
        clearInterval(timer);
      }
    },
  };
}
