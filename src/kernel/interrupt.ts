import { checked } from './errno.js';
import { native } from './library.js';

const SIGINT = 2;
const SIG_IGN = 1n;
/** More than any libc's `struct sigaction`; its first word is the handler. */
const ACTION_BYTES = 256;

/**
 * Makes this process deaf to SIGINT; answers how to undo it.
 *
 * The former action is kept whole, flags included (sigaction(2)): Node's own handler raises the signal again and trusts SA_RESETHAND
 * to make that deadly. Put back without the flag, by signal(2), it would call itself for ever.
 */
export function ignoreInterrupt(): () => void {
  const ignore = new BigUint64Array(ACTION_BYTES / 8);
  ignore[0] = SIG_IGN;
  const former = new Uint8Array(ACTION_BYTES);
  checked('sigaction', native().sigaction(SIGINT, ignore, former));
  return () => void checked('sigaction', native().sigaction(SIGINT, former, null));
}
