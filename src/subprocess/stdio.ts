import { closeDescriptor, createPipe, setPipeBytes } from '../kernel/descriptor.js';
import { CommandInput } from './command-input.js';
import { CommandOutput } from './command-output.js';
import { badOption, noDescriptor } from './failures.js';
import { type CommandOptions, DEVNULL, PIPE, STDOUT, type StreamTarget } from './options.js';
import { descriptorOf } from './pipe-end.js';
import type { Settings } from './settings.js';

/** What a command gets at one of its descriptors, as `child_process` takes it. */
export type Slot = 'ignore' | 'pipe' | number;

/** Where a stream leads, checked: a pipe to be made, stdout's place, or what is there already. */
export type Plan = typeof PIPE | typeof STDOUT | 'ignore' | number;

const NAMES = ['stdin', 'stdout', 'stderr'] as const;

/** Streams of other commands that are given to this one. */
type Handed = CommandInput | CommandOutput;

/** Where the three streams lead, and what is to be closed here once the command has it. */
export interface StdioPlan {
  readonly plans: readonly [Plan, Plan, Plan];
  readonly handed: readonly Handed[];
}

/**
 * Checks where the streams shall lead; opens nothing.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`, `ERR_FURCA_INVALID_STATE`.
 */
export function planStdio(options: Pick<CommandOptions, 'stdin' | 'stdout' | 'stderr'>): StdioPlan {
  const handed: Handed[] = [];
  const plan = (name: (typeof NAMES)[number]): Plan => {
    const target: StreamTarget | typeof STDOUT = options[name];
    if (target === undefined || target === null) return NAMES.indexOf(name);
    if (target === PIPE) return PIPE;
    if (target === DEVNULL) return 'ignore';
    if (target === STDOUT) {
      if (name !== 'stderr') throw badOption(name, 'another target: STDOUT is for stderr');
      return STDOUT;
    }
    if (target instanceof CommandInput || target instanceof CommandOutput) {
      target.assertUnused(name);
      handed.push(target);
    }
    return descriptorFor(name, target);
  };
  return { plans: [plan('stdin'), plan('stdout'), plan('stderr')], handed };
}

function descriptorFor(name: string, target: unknown): number {
  if (typeof target === 'number' && Number.isInteger(target) && target >= 0) return target;
  if (typeof target !== 'object' || target === null)
    throw badOption(name, 'PIPE, DEVNULL, STDOUT (stderr only), a descriptor or a stream');
  const fd = descriptorOf(target);
  if (fd === -1) throw noDescriptor(name);
  return fd;
}

/** A command's streams, with the pipes that were made for them. */
export interface Stdio {
  readonly slots: readonly Slot[];
  readonly stdin: CommandInput | null;
  readonly stdout: CommandOutput | null;
  readonly stderr: CommandOutput | null;
  /** To be called when the command has its ends, or will not come. */
  closeTheirs(): void;
  /** To be called when the command could not be started. */
  closeOurs(): void;
}

/** Makes the pipes. Real ones, not the socket pairs of `child_process`: a program can open `/dev/stdin`, and a reader that ends is SIGPIPE. */
export function openStdio(
  { plans }: StdioPlan,
  { passFds, text, pipeSizeBytes }: Pick<Settings, 'passFds' | 'text' | 'pipeSizeBytes'>,
): Stdio {
  const theirs: number[] = [];
  const ours: number[] = [];
  const closeAll = (fds: number[]): void => {
    for (const fd of fds.splice(0)) closeDescriptor(fd);
  };
  const made: [number, number, number] = [-1, -1, -1];
  let slots: Slot[];
  try {
    slots = plans.map((plan, at): Slot => {
      if (plan === STDOUT) return 'ignore';
      if (plan !== PIPE) return plan;
      const { readFd, writeFd } = createPipe(false);
      const [own, other] = at === 0 ? [writeFd, readFd] : [readFd, writeFd];
      ours.push(own);
      theirs.push(other);
      made[at] = own;
      if (pipeSizeBytes !== undefined) setPipeBytes(own, pipeSizeBytes);
      return other;
    });
  } catch (error) {
    closeAll(theirs);
    closeAll(ours);
    throw error;
  }
  if (plans[2] === STDOUT) slots[2] = slots[1] as Slot;
  for (const fd of passFds) {
    while (slots.length < fd) slots.push('ignore');
    slots[fd] = fd;
  }
  let stdin: CommandInput | null = null;
  let stdout: CommandOutput | null = null;
  let stderr: CommandOutput | null = null;
  if (made[0] !== -1) stdin = new CommandInput(made[0], text);
  if (made[1] !== -1) stdout = new CommandOutput(made[1], text);
  if (made[2] !== -1) stderr = new CommandOutput(made[2], text);
  return {
    slots,
    stdin,
    stdout,
    stderr,
    closeTheirs: () => closeAll(theirs),
    closeOurs: () => {
      for (const stream of [stdin, stdout, stderr]) stream?.destroy();
    },
  };
}
