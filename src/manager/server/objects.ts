import { randomUUID } from 'node:crypto';
import type { PlainAddress } from '../../connection/address.js';
import type { Reduction } from '../../pickle/reduction.js';
import { proxyReduction } from '../pickle-dialect.js';
import type { ProxyRecord } from '../protocol.js';
import { type Ending, pythonError, SharedObject } from '../shared/shared-object.js';

/** One object of the server. */
export interface Entry {
  readonly ident: string;
  readonly object: unknown;
  readonly typeid: string;
  readonly exposed: ReadonlySet<string>;
  readonly methodToTypeid: Readonly<Record<string, string>>;
  /** References that are held, by client; `null` for those of clients that are not watched. */
  readonly references: Map<Ending | null, number>;
}

/** Stands for an object of the server inside of others and in replies. It keeps the object alive; what travels is its record. */
export class Reference {
  readonly 'furca:proxy': ProxyRecord;

  constructor(entry: Entry, address: PlainAddress) {
    const { typeid, ident, exposed } = entry;
    this['furca:proxy'] = {
      token: { typeid, address, ident },
      exposed: [...exposed],
      proxyType: 'AutoProxy',
    };
    entries.set(this, entry);
  }

  /** How Python makes a proxy of it. */
  'furca:reduce'(): Reduction {
    return proxyReduction(this['furca:proxy']);
  }

  /** The object itself. */
  get referent(): unknown {
    return (entries.get(this) as Entry).object;
  }
}

const entries = new WeakMap<Reference, Entry>();

/** The objects of a server and who refers to them. */
export class Objects {
  readonly #held = new Map<string, Entry>();
  /** All that still exist, also those that only other objects refer to. */
  readonly #known = new Map<string, WeakRef<Entry>>();
  readonly #collected = new FinalizationRegistry<string>((ident) => this.#known.delete(ident));
  readonly #references = new WeakMap<Entry, Reference>();
  address: PlainAddress = '';

  get size(): number {
    return this.#held.size;
  }

  /** Takes in an object, with one reference that `client` holds. */
  add(
    object: unknown,
    typeid: string,
    exposed: readonly string[],
    methodToTypeid: Readonly<Record<string, string>>,
    client: Ending | null,
  ): Entry {
    const ident = randomUUID();
    const names = new Set([...exposed, ...Object.keys(methodToTypeid)]);
    const entry: Entry = { ident, object, typeid, exposed: names, methodToTypeid, references: new Map() };
    this.#known.set(ident, new WeakRef(entry));
    this.#collected.register(entry, ident);
    this.#refer(entry, client);
    return entry;
  }

  /** @throws a KeyError: there is no such object, or no more. */
  find(ident: unknown): Entry {
    const entry = this.#held.get(String(ident)) ?? this.#known.get(String(ident))?.deref();
    if (entry === undefined) throw pythonError('KeyError', [ident]);
    return entry;
  }

  /** What stands for the object in other objects; the same at every call, while it lives. */
  reference(ident: unknown): Reference {
    const entry = this.find(ident);
    let reference = this.#references.get(entry);
    if (reference === undefined) {
      reference = new Reference(entry, this.address);
      this.#references.set(entry, reference);
    }
    return reference;
  }

  addReference(ident: unknown, client: Ending | null): void {
    this.#refer(this.find(ident), client);
  }

  dropReference(ident: unknown, client: Ending | null): void {
    const entry = this.find(ident);
    // Another client may have made it, and passed it on.
    const holder = entry.references.has(client) ? client : entry.references.keys().next().value;
    if (holder === undefined) throw pythonError('AssertionError', `nobody refers to ${String(ident)}`);
    const left = (entry.references.get(holder) ?? 0) - 1;
    if (left > 0) entry.references.set(holder, left);
    else this.#forget(entry, holder);
  }

  #refer(entry: Entry, client: Ending | null): void {
    const holder = client === null || client.isGone ? null : client;
    const count = entry.references.get(holder);
    entry.references.set(holder, (count ?? 0) + 1);
    this.#held.set(entry.ident, entry);
    if (count === undefined) holder?.onGone(() => this.#forget(entry, holder));
  }

  #forget(entry: Entry, holder: Ending | null): void {
    entry.references.delete(holder);
    if (entry.references.size === 0) this.#held.delete(entry.ident);
  }

  /** One line for each object. */
  describe(): string {
    return [...this.#held.values()]
      .map(({ ident, references, object }) => {
        const count = [...references.values()].reduce((sum, one) => sum + one, 0);
        const shown = object instanceof SharedObject ? object.repr() : String(object);
        return `  ${ident}:       refcount=${count}\n    ${shown.slice(0, 75)}`;
      })
      .join('\n');
  }
}

/** Names of the methods of an object that are public: no underscore in front. */
export function publicMethods(object: unknown): string[] {
  if (object instanceof SharedObject) return [...object.exposed];
  const names = new Set<string>();
  for (
    let level: unknown = object;
    isObject(level) && level !== Object.prototype;
    level = Object.getPrototypeOf(level)
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (typeof value === 'function' && name !== 'constructor' && !name.startsWith('_')) names.add(name);
    }
  }
  return [...names];
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
