import { connect, type Socket } from 'node:net';
import {
  type Address,
  type AddressFamily,
  checkedAddress,
  familyOf,
  type PlainAddress,
  showAddress,
} from './address.js';
import { authenticateListener, checkedHandshake, type HandshakeOptions } from './authentication.js';
import { Connection, type ConnectionOptions, expectNoChallenge, messagesOver } from './connection.js';
import { cannotConnect } from './failures.js';
import { codecOf } from './message-format.js';
import { assertOptionsObject, type WaitOptions, waiting } from './waiting.js';

/** Options of {@link Client}. */
export interface ClientOptions extends ConnectionOptions, HandshakeOptions, WaitOptions {
  /** Kind of address; only checked, since the address itself tells. */
  readonly family?: AddressFamily | undefined;
}

/**
 * Connects to a {@link Listener}, of furca or of Python, and resolves once both sides have proved to have the key.
 *
 * @param address - Path of a Unix socket, or `{ host, port }`.
 * @param options.authKey - The listener's key. Without one nothing is proved; a listener that wants a key is then told of at the
 * first `recv`.
 * @param options.timeoutMs - Longest wait for the connection, in milliseconds; the handshake has `handshakeTimeoutMs` besides.
 * @param options.signal - Aborting it gives up and rejects with its reason.
 * @param options.format - `'pickle'` for a peer in Python. Default `'furca'`.
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`; nothing was connected.
 * @throws {@link BrokenError} `ERR_FURCA_BROKEN`: nobody listens there; `cause` says more.
 * @throws {@link AuthenticationError} `ERR_FURCA_AUTHENTICATION`: the listener has another key, or none.
 * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
 *
 * @example
 * const listener = await Listener.listen(undefined, { authKey: 'secret' });
 * const client = await Client<string, string>(listener.address, { authKey: 'secret' });
 * const served = await listener.accept();
 * await client.send('hello');
 * await served.recv(); // => 'hello'
 * await Promise.all([client.close(), served.close(), listener.close()]);
 */
export async function Client<In = unknown, Out = unknown>(
  address: Address,
  options: ClientOptions = {},
): Promise<Connection<In, Out>> {
  const doing = 'Connecting';
  assertOptionsObject(doing, options);
  const where = checkedAddress(doing, address, options.family);
  const handshake = checkedHandshake(doing, options);
  codecOf(doing, options);
  const socket = await connected(where, options);
  try {
    const messages = messagesOver(socket, options);
    if (handshake !== undefined)
      await unlessAborted(socket, options.signal, authenticateListener(messages, handshake));
    const connection = new Connection<In, Out>(messages, options);
    return handshake === undefined ? expectNoChallenge(connection) : connection;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function connected(where: PlainAddress, options: WaitOptions): Promise<Socket> {
  const target = typeof where === 'string' ? { path: where } : { ...where, ...familyOf(where.host) };
  return await waiting<Socket>('Connecting', options, ({ resolve, reject }) => {
    // The other side may close its half and still read what is sent.
    const socket = connect({ ...target, noDelay: true, allowHalfOpen: true });
    let isConnected = false;
    const onError = (error: Error): void => reject(cannotConnect(showAddress(where), error));
    socket.once('error', onError);
    socket.once('connect', () => {
      isConnected = true;
      socket.off('error', onError);
      resolve(socket);
    });
    return () => {
      if (!isConnected) socket.destroy();
    };
  });
}

/** Ends the socket, and with it the handshake, when `signal` is aborted. */
async function unlessAborted(
  socket: Socket,
  signal: AbortSignal | undefined,
  shaking: Promise<void>,
): Promise<void> {
  const onAbort = (): void => void socket.destroy();
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted) onAbort();
  try {
    await shaking;
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
