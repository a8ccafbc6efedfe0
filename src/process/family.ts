import { closeDescriptor } from '../kernel/descriptor.js';
import { Lifeline } from '../kernel/lifeline.js';

export { joinOrFoundFamily } from '../arena/member.js';

let lifeline: Lifeline | undefined;

/** The read end of the family's lifeline, in this process; founds the lifeline where this process is the root. */
export function lifelineFd(): number {
  if (inheritedLifelineFd !== undefined) return inheritedLifelineFd;
  lifeline ??= new Lifeline();
  return lifeline.readFd;
}

let inheritedLifelineFd: number | undefined;

/** Called in a child: the descriptor at which it found the lifeline it follows. */
export function inheritLifeline(readFd: number): void {
  inheritedLifelineFd = readFd;
}

/** Called in a forked child of the root, before anything else: it must not keep the family alive. */
export function letGoOfLifeline(): void {
  if (lifeline === undefined) return;
  lifeline.letGo();
  inheritedLifelineFd ??= lifeline.readFd;
}

/** Called in a child that leaves the family: neither does its life hang on it, nor the family's on this process. */
export function leaveLifeline(): void {
  lifeline?.letGo();
  if (lifeline !== undefined) closeDescriptor(lifeline.readFd);
  lifeline = undefined;
  inheritedLifelineFd = undefined;
}
