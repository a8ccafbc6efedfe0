import type { ManagerClient } from './client.js';
import {
  ArrayProxy,
  DictProxy,
  IteratorProxy,
  ListProxy,
  NamespaceProxy,
  SetProxy,
  ValueProxy,
} from './container-proxies.js';
import type { ProxyRecord } from './protocol.js';
import { BaseProxy } from './proxy.js';
import {
  AcquirerProxy,
  BarrierProxy,
  ConditionProxy,
  EventProxy,
  QueueProxy,
  RLockProxy,
} from './sync-proxies.js';

/** A class of proxies. */
export type ProxyClass<P extends BaseProxy = BaseProxy> = new (
  client: ManagerClient,
  record: ProxyRecord,
) => P;

/** A proxy whose methods are those of `T`, each giving a promise. */
export type Proxied<T> = BaseProxy & {
  readonly [K in keyof T as T[K] extends (...args: never[]) => unknown
    ? Exclude<K, keyof BaseProxy>
    : never]: T[K] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

/** The types that CPython's SyncManager registers, and furca's. */
const BY_TYPEID: ReadonlyMap<string, ProxyClass> = new Map<string, ProxyClass>([
  ['dict', DictProxy],
  ['list', ListProxy],
  ['set', SetProxy],
  ['Namespace', NamespaceProxy],
  ['Value', ValueProxy],
  ['Array', ArrayProxy],
  ['Queue', QueueProxy],
  ['JoinableQueue', QueueProxy],
  ['Lock', AcquirerProxy],
  ['RLock', RLockProxy],
  ['Semaphore', AcquirerProxy],
  ['BoundedSemaphore', AcquirerProxy],
  ['Condition', ConditionProxy],
  ['Event', EventProxy],
  ['Barrier', BarrierProxy],
  ['Iterator', IteratorProxy],
]);

const BY_PYTHON_TYPE: ReadonlyMap<string, ProxyClass> = new Map<string, ProxyClass>(
  [
    DictProxy,
    ListProxy,
    SetProxy,
    NamespaceProxy,
    ValueProxy,
    ArrayProxy,
    IteratorProxy,
    AcquirerProxy,
    ConditionProxy,
    EventProxy,
    BarrierProxy,
  ].map((type) => [type.pythonType, type]),
);

/** Makes the proxy that fits: by the name its type was registered under, by Python's class, or of the methods there are. */
export function makeProxy(client: ManagerClient, record: ProxyRecord): BaseProxy {
  const type =
    BY_TYPEID.get(record.token.typeid) ??
    BY_PYTHON_TYPE.get(record.proxyType) ??
    autoProxy(record.exposed ?? []);
  return new type(client, record);
}

const autoProxies = new Map<string, ProxyClass>();
const MAX_AUTO_PROXIES = 256;

/** A class of proxies with the methods named; those that every proxy has stay its own, `call` reaches the object's. */
function autoProxy(exposed: readonly string[]): ProxyClass {
  const key = JSON.stringify([...exposed].sort());
  let type = autoProxies.get(key);
  if (type === undefined) {
    type = class AutoProxy extends BaseProxy {};
    for (const name of exposed) {
      // A `then` would make it a promise to everyone who awaits it.
      if (name in type.prototype || name === 'then') continue;
      const method = function (this: BaseProxy, ...args: unknown[]): Promise<unknown> {
        return this.call(name, args);
      };
      Object.defineProperty(type.prototype, name, { value: method, configurable: true, writable: true });
    }
    if (autoProxies.size >= MAX_AUTO_PROXIES) autoProxies.clear();
    autoProxies.set(key, type);
  }
  return type;
}
