import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { badClusterOption } from './failures.js';

const PLAIN = 0;
const SIGNED = 1;
const MAC_BYTES = 32;
/** Shortest key: less could be guessed. */
const LEAST_KEY_BYTES = 16;

/** What a message is for: a signature for one purpose is none for another. */
export type Purpose = 'job' | 'result' | 'refusal' | 'item';

/** Why bytes were not accepted. */
export type SealFault = 'unsigned' | 'signature' | 'malformed';

/** Opened bytes, or what is wrong with them. */
export type Opened =
  | { readonly bytes: Uint8Array; readonly fault: undefined }
  | { readonly bytes: undefined; readonly fault: SealFault };

/**
 * Signs what leaves and checks what comes, before anything else looks at it.
 *
 * ```
 * 0  bytes                  without a key
 * 1  HMAC-SHA-256  bytes    with one
 * ```
 */
export class Seal {
  readonly #key: Uint8Array | undefined;

  constructor(key: Uint8Array | undefined) {
    this.#key = key;
  }

  get hasKey(): boolean {
    return this.#key !== undefined;
  }

  close(purpose: Purpose, bytes: Uint8Array): Buffer {
    if (this.#key === undefined) return Buffer.concat([Uint8Array.of(PLAIN), bytes]);
    return Buffer.concat([Uint8Array.of(SIGNED), mac(this.#key, purpose, bytes), bytes]);
  }

  open(purpose: Purpose, sealed: Uint8Array): Opened {
    const kind = sealed[0];
    if (this.#key === undefined) {
      if (kind === PLAIN) return { bytes: sealed.subarray(1), fault: undefined };
      return { bytes: undefined, fault: kind === SIGNED ? 'signature' : 'malformed' };
    }
    if (kind === PLAIN) return { bytes: undefined, fault: 'unsigned' };
    if (kind !== SIGNED || sealed.length < 1 + MAC_BYTES) return { bytes: undefined, fault: 'malformed' };
    const bytes = sealed.subarray(1 + MAC_BYTES);
    const isRight = timingSafeEqual(sealed.subarray(1, 1 + MAC_BYTES), mac(this.#key, purpose, bytes));
    return isRight ? { bytes, fault: undefined } : { bytes: undefined, fault: 'signature' };
  }
}

function mac(key: Uint8Array, purpose: Purpose, bytes: Uint8Array): Buffer {
  return createHmac('sha256', key).update(`furca:${purpose}:1\0`).update(bytes).digest();
}

/** What names a piece of code: its content. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`. */
export function checkedKey(key: unknown): Uint8Array | undefined {
  if (key === undefined) return undefined;
  const bytes = typeof key === 'string' ? Buffer.from(key) : key;
  if (bytes instanceof Uint8Array && bytes.length >= LEAST_KEY_BYTES) return Uint8Array.from(bytes);
  throw badClusterOption('key', `a text or bytes, at least ${LEAST_KEY_BYTES} bytes long`);
}
