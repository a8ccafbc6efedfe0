/**
 * `furca/connection`: messages over sockets, named as in Python's `multiprocessing.connection`, with the same bytes.
 *
 * @packageDocumentation
 */
export type { Waitable } from './base/waitable.js';
export type { Address, AddressFamily, HostAndPort, PlainAddress } from './connection/address.js';
export type { AuthKey, HandshakeDigest, HandshakeOptions } from './connection/authentication.js';
export { Client, type ClientOptions } from './connection/client.js';
export {
  Connection,
  type ConnectionOptions,
  type ConnectionStats,
  type RecvBytesOptions,
  type RecvIntoOptions,
  type SendBytesOptions,
} from './connection/connection.js';
export { Listener, type ListenerOptions, type ListenerStats } from './connection/listener.js';
export type { FormatOptions, MessageFormat } from './connection/message-format.js';
export { type WaitObject, wait } from './connection/wait.js';
export type { WaitOptions } from './connection/waiting.js';
export { type DictForm, dumps, type LoadOptions, loads } from './pickle/pickle.js';
export {
  float,
  frozenset,
  PythonComplex,
  PythonError,
  PythonFloat,
  tuple,
} from './pickle/python-values.js';
