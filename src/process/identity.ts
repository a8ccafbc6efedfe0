import type { StartMethod } from './start-request.js';

/** Who this process is in its family. */
export interface Identity {
  readonly name: string;
  readonly isDaemon: boolean;
  /** A daemon that may have children all the same. */
  readonly mayHaveChildren?: true;
  /** How it was started; `null` in the first process. */
  readonly startMethod: StartMethod | null;
  readonly parent: { readonly pid: number; readonly name: string; readonly owner: number } | null;
  /** For each of its standard streams: it is not that of the first process, which the zygote has too. */
  readonly ownStreams: readonly boolean[];
}

let identity: Identity = {
  name: 'MainProcess',
  isDaemon: false,
  startMethod: null,
  parent: null,
  ownStreams: [false, false, false],
};

export function ownIdentity(): Identity {
  return identity;
}

/** Called once in a child, before its code runs. */
export function assumeIdentity(own: Identity): void {
  identity = own;
}

/**
 * Lets this daemon have children. Python refuses them because nobody would end them; here a daemon's children end with it, however it
 * ended.
 */
export function allowChildren(): void {
  identity = { ...identity, mayHaveChildren: true };
}
