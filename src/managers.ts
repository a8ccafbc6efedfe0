/**
 * `furca/managers`: objects that live in a server process and are used through proxies, named as in Python's
 * `multiprocessing.managers`.
 *
 * @packageDocumentation
 */
export { BaseManager, Keywords, keywords, type ManagerOptions } from './manager/base-manager.js';
export {
  ArrayProxy,
  DictProxy,
  IteratorProxy,
  ListProxy,
  NamespaceProxy,
  SetProxy,
  ValueProxy,
} from './manager/container-proxies.js';
export type { Serializer } from './manager/dialect.js';
export { Manager } from './manager/manager.js';
export type { Token } from './manager/protocol.js';
export { BaseProxy, type CallOptions } from './manager/proxy.js';
export type { Proxied, ProxyClass } from './manager/proxy-types.js';
export type { Maker, RegisterOptions } from './manager/registration.js';
export { SyncManager, type SyncManagerOptions } from './manager/sync-manager.js';
export {
  AcquirerProxy,
  BarrierProxy,
  ConditionProxy,
  EventProxy,
  QueueProxy,
  RLockProxy,
} from './manager/sync-proxies.js';
