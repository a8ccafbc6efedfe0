import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { ClosedError, FurcaError, LimitError } from '../base/errors.js';
import { badArgument, notAuthentic } from './failures.js';
import type { MessageSocket } from './message-socket.js';

/** CPython reads each message of a handshake with this limit. */
const MAX_HANDSHAKE_BYTES = 256;
/** Random bytes in a challenge, as CPython 3.12 and later send it. */
const NONCE_BYTES = 40;
/** Exactly so long is a challenge of CPython before 3.12, and its answer is a bare HMAC-MD5. */
const LEGACY_CHALLENGE_BYTES = 20;
const MD5_BYTES = 16;

const CHALLENGE = Buffer.from('#CHALLENGE#');
const WELCOME = Buffer.from('#WELCOME#');
const FAILURE = Buffer.from('#FAILURE#');

const SAME_KEY = 'Give both sides the same authKey.';

/** The digests of CPython 3.12 and later, and what OpenSSL calls them. */
const DIGESTS: ReadonlyMap<string, string> = new Map([
  ['md5', 'md5'],
  ['sha256', 'sha256'],
  ['sha384', 'sha384'],
  ['sha3_256', 'sha3-256'],
  ['sha3_384', 'sha3-384'],
]);

/** Digests that a challenge may ask for. */
export type HandshakeDigest = 'md5' | 'sha256' | 'sha384' | 'sha3_256' | 'sha3_384';

/** A key both sides have, as bytes; a string stands for its UTF-8. */
export type AuthKey = string | Uint8Array;

/** How one side authenticates itself and the other. */
export interface Handshake {
  readonly key: Uint8Array;
  /** What the own challenge asks for. */
  readonly digest: HandshakeDigest;
  /** Whether HMAC-MD5, all that CPython before 3.12 knows, will do. */
  readonly allowMd5: boolean;
  readonly timeoutMs: number;
}

/** Options of a handshake. */
export interface HandshakeOptions {
  /**
   * The key that both sides must have; without one nobody is asked for it, and anybody can connect. An empty key is a key. A string
   * stands for its UTF-8. Default: none.
   */
  readonly authKey?: AuthKey | undefined;
  /** Longest time a handshake may take, in milliseconds. Default 20,000. */
  readonly handshakeTimeoutMs?: number | undefined;
  /** The digest to ask for; CPython 3.12 and later know all of them, those before take any for MD5. Default `sha256`. */
  readonly digest?: HandshakeDigest | undefined;
  /** Whether a peer that only knows HMAC-MD5 (CPython before 3.12) will do. Default `true`. */
  readonly allowMd5?: boolean | undefined;
}

/** Whom it ends is silent, or a stranger; a peer on a machine that has much else to do is neither. */
const DEFAULT_TIMEOUT_MS = 20_000;

/**
 * Reads the options of a handshake; `undefined` when there is no key, and so no handshake.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
 */
export function checkedHandshake(doing: string, options: HandshakeOptions): Handshake | undefined {
  const { authKey, handshakeTimeoutMs = DEFAULT_TIMEOUT_MS, digest = 'sha256', allowMd5 = true } = options;
  if (!DIGESTS.has(digest)) throw badArgument(doing, 'digest', `one of ${[...DIGESTS.keys()].join(', ')}`);
  if (typeof handshakeTimeoutMs !== 'number' || !(handshakeTimeoutMs > 0)) {
    throw badArgument(doing, 'handshakeTimeoutMs', 'a positive number of milliseconds');
  }
  if (authKey === undefined || authKey === null) return undefined;
  return { key: keyBytes(doing, authKey), digest, allowMd5, timeoutMs: handshakeTimeoutMs };
}

function keyBytes(doing: string, key: unknown): Uint8Array {
  if (typeof key === 'string') return Buffer.from(key);
  if (key instanceof Uint8Array) return key;
  throw badArgument(doing, 'authKey', 'a string or a Uint8Array');
}

/**
 * The handshake of the side that accepted the connection: challenges first, then answers.
 *
 * @throws {@link AuthenticationError} `ERR_FURCA_AUTHENTICATION`: the other side has another key, none, or does not answer in time.
 */
export async function authenticateClient(messages: MessageSocket, handshake: Handshake): Promise<void> {
  await inTime(messages, handshake, 'client', async (wire) => {
    await deliverChallenge(wire, handshake);
    await answerChallenge(wire, handshake);
  });
}

/** The handshake of the side that connected: answers first, then challenges. Throws as {@link authenticateClient}. */
export async function authenticateListener(messages: MessageSocket, handshake: Handshake): Promise<void> {
  await inTime(messages, handshake, 'listener', async (wire) => {
    await answerChallenge(wire, handshake);
    await deliverChallenge(wire, handshake);
  });
}

/** Sends and receives within the handshake's deadline. */
interface Wire {
  send(message: Uint8Array): Promise<void>;
  receive(): Promise<Buffer>;
}

async function inTime(
  messages: MessageSocket,
  { timeoutMs }: Handshake,
  other: 'client' | 'listener',
  shake: (wire: Wire) => Promise<void>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const options = (): { timeoutMs: number } => ({ timeoutMs: Math.max(1, deadline - performance.now()) });
  try {
    await shake({
      send: (message) => messages.send(message, options()),
      receive: async () => Buffer.from(await messages.receive(MAX_HANDSHAKE_BYTES, options())),
    });
  } catch (error) {
    throw explain(error, other, timeoutMs);
  }
}

/** Says what a failure of the connection means in the middle of a handshake. */
function explain(error: unknown, other: string, timeoutMs: number): unknown {
  if (!FurcaError.is(error)) return error;
  if (error.code === 'ERR_FURCA_TIMEOUT') {
    const fact = `the ${other} said nothing within ${timeoutMs} ms`;
    return notAuthentic(fact, `It may have been made without a key. ${SAME_KEY}`, error);
  }
  if (error instanceof LimitError) {
    return notAuthentic(`the ${other} sent more than a handshake has`, SAME_KEY, error);
  }
  if (error instanceof ClosedError || error.code === 'ERR_FURCA_BROKEN') {
    const fact = `the ${other} closed the connection in the middle of it`;
    return notAuthentic(fact, `It may have another key, or none. ${SAME_KEY}`, error);
  }
  return error;
}

/** Asks the other side to prove that it has the key. */
async function deliverChallenge(wire: Wire, handshake: Handshake): Promise<void> {
  const message = Buffer.concat([Buffer.from(`{${handshake.digest}}`), randomBytes(NONCE_BYTES)]);
  await wire.send(Buffer.concat([CHALLENGE, message]));
  if (isRightAnswer(await wire.receive(), message, handshake)) {
    await wire.send(WELCOME);
    return;
  }
  // It may have hung up already; what is wrong is that it has no or another key.
  await wire.send(FAILURE).catch(() => {});
  throw notAuthentic(
    'the other side answered the challenge wrongly',
    `It has another key, or none. ${SAME_KEY}`,
  );
}

function isRightAnswer(answer: Buffer, message: Buffer, { key, allowMd5 }: Handshake): boolean {
  const { name, digest } = isLegacyAnswer(answer) ? { name: 'md5', digest: answer } : splitPrefix(answer);
  if (name === undefined || (name === 'md5' && !allowMd5)) return false;
  const expected = hmac(name, key, message);
  return digest.byteLength === expected.byteLength && timingSafeEqual(digest, expected);
}

function isLegacyAnswer(answer: Buffer): boolean {
  return answer.byteLength === MD5_BYTES;
}

/** Proves to the other side that this one has the key. */
async function answerChallenge(wire: Wire, handshake: Handshake): Promise<void> {
  const received = await wire.receive();
  if (!isChallenge(received)) {
    throw notAuthentic(
      'the other side sent something else than a challenge',
      `It may have been made without a key. ${SAME_KEY}`,
    );
  }
  await wire.send(answerTo(received.subarray(CHALLENGE.byteLength), handshake));
  if (!(await wire.receive()).equals(WELCOME)) {
    throw notAuthentic('the other side did not take the answer', `It has another key. ${SAME_KEY}`);
  }
}

function answerTo(message: Buffer, { key, allowMd5 }: Handshake): Buffer {
  const advice = 'Use CPython from 3.11 on, or furca, at the other side.';
  if (message.byteLength === LEGACY_CHALLENGE_BYTES) {
    if (allowMd5) return hmac('md5', key, message);
    throw notAuthentic('the other side asks for HMAC-MD5, which allowMd5 forbids', advice);
  }
  if (message.byteLength < LEGACY_CHALLENGE_BYTES) {
    throw notAuthentic(`its challenge of ${message.byteLength} bytes is too short`, advice);
  }
  const { name } = splitPrefix(message);
  if (name === undefined || (name === 'md5' && !allowMd5)) {
    throw notAuthentic('the other side asks for a digest that is unknown or forbidden', advice);
  }
  return Buffer.concat([Buffer.from(`{${name}}`), hmac(name, key, message)]);
}

/** Cuts off the `{digest}` that a message begins with. */
function splitPrefix(message: Buffer): { readonly name: string | undefined; readonly digest: Buffer } {
  for (const name of DIGESTS.keys()) {
    const prefix = Buffer.from(`{${name}}`);
    if (message.subarray(0, prefix.byteLength).equals(prefix)) {
      return { name, digest: message.subarray(prefix.byteLength) };
    }
  }
  return { name: undefined, digest: message };
}

function hmac(name: string, key: Uint8Array, message: Uint8Array): Buffer {
  try {
    return createHmac(DIGESTS.get(name) as string, key)
      .update(message)
      .digest();
  } catch (error) {
    // OpenSSL in FIPS mode has no MD5.
    throw notAuthentic(`this machine has no ${name}`, 'Choose another digest.', error);
  }
}

/** Tells whether a message is what the other side of a handshake begins with. */
export function isChallenge(message: Uint8Array): boolean {
  return (
    message.byteLength >= CHALLENGE.byteLength &&
    message.byteLength <= MAX_HANDSHAKE_BYTES &&
    CHALLENGE.equals(message.subarray(0, CHALLENGE.byteLength))
  );
}

/** The error for a listener that asks for a key where this side has none. */
export function keyMissing(): Error {
  return notAuthentic('the listener asks for a key, and none was given here', 'Pass its authKey to Client.');
}
