/** Key of what `wait` of `furca/connection` asks an object; a string, so that two copies of the package understand each other. */
export const WAITABLE = 'furca:waitable';

/** Something that becomes ready, such as a connection with a message. */
export interface Waitable {
  readonly [WAITABLE]: Readiness;
}

/** How to learn that an object is ready. */
export interface Readiness {
  /** Looks once; may begin to fetch what it looks for. */
  isReady(): boolean;
  /** Calls `look` in a later turn of the event loop whenever it may have become ready; answers how to stop that. */
  watch(look: () => void): () => void;
}

/** Tells whether `value` can be asked for its readiness. */
export function isWaitable(value: unknown): value is Waitable {
  return typeof value === 'object' && value !== null && WAITABLE in value;
}
