/** What the caller of the command did wrong: told in one line, without a trace, with exit code 2. */
export class Mistake extends Error {}

/** The exit codes of the command; see `furca --help`. */
export const EXIT = {
  OK: 0,
  /** An input failed, or the work could not be done. */
  FAILED: 1,
  /** The command was used wrongly. */
  MISUSED: 2,
  /** As shells count: 128 and the number of the signal. */
  SIGINT: 130,
  SIGTERM: 143,
} as const;
