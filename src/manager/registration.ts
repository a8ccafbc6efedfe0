import { type AnyFunction, describeFunction } from '../wire/functions.js';
import { badArgument } from './failures.js';
import type { TypeRecord } from './server/serve.js';

/** What makes the objects of a type: a class, or a function, which may give a promise. */
export type Maker = AnyFunction | (new (...args: never[]) => unknown);

/** How a type is registered. */
export interface RegisterOptions {
  /** Names of the methods that may be called. Default: all that do not begin with an underscore. */
  readonly exposed?: readonly string[] | undefined;
  /** Methods whose result stays in the server, as an object of the type named. Default none. */
  readonly methodToTypeid?: Readonly<Record<string, string>> | undefined;
}

export interface Registration extends RegisterOptions {
  readonly typeid: string;
  readonly maker: Maker;
}

/** The types of each class of managers; a class has those of its parents, too. */
const registries = new WeakMap<object, Map<string, Registration>>();

/** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`. */
export function registerIn(managerClass: object, registration: Registration): void {
  const doing = 'Registering a type';
  const { typeid, maker, exposed, methodToTypeid } = registration;
  if (typeof typeid !== 'string' || typeid === '') throw badArgument(doing, 'typeid', 'a name');
  if (typeof maker !== 'function') throw badArgument(doing, 'maker', 'a class or a function');
  if (
    exposed !== undefined &&
    !(Array.isArray(exposed) && exposed.every((name) => typeof name === 'string'))
  ) {
    throw badArgument(doing, 'exposed', 'an array of names');
  }
  if (methodToTypeid !== undefined && (typeof methodToTypeid !== 'object' || methodToTypeid === null)) {
    throw badArgument(doing, 'methodToTypeid', 'an object that names a type for each method');
  }
  let registry = registries.get(managerClass);
  if (registry === undefined) {
    registry = new Map();
    registries.set(managerClass, registry);
  }
  registry.set(typeid, registration);
}

/** All types of a class of managers; its own hide those of its parents. */
export function registrationsOf(managerClass: object): Map<string, Registration> {
  const found = new Map<string, Registration>();
  for (
    let level: object | null = managerClass;
    level !== null;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    for (const [typeid, registration] of registries.get(level) ?? []) {
      if (!found.has(typeid)) found.set(typeid, registration);
    }
  }
  return found;
}

/**
 * The types as they travel to a server.
 *
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: a class or function cannot travel.
 */
export function recordTypes(registrations: Iterable<Registration>): TypeRecord[] {
  return [...registrations].map(({ typeid, maker, exposed = null, methodToTypeid = null }) => {
    const isClass = /^class\b/.test(Function.prototype.toString.call(maker));
    const make = describeFunction(maker as AnyFunction, `type ${typeid}`);
    return { typeid, make, isClass, exposed, methodToTypeid };
  });
}
