import { randomBytes } from 'node:crypto';

/**
 * Names of code and classes that hold in every process of a family.
 *
 * A class that is sent by value exists several times, once in each process. All of them carry the id that its first process gave it; so an
 * instance that comes back is an instance of the class it was sent as.
 */

let token = '';
let tokenPid = 0;
let last = 0;

/** What begins all ids that this process gives. */
export function ownToken(): string {
  // A forked child has its parent's memory, and must not give the ids its parent gives.
  if (tokenPid !== process.pid) {
    tokenPid = process.pid;
    token = randomBytes(9).toString('base64url');
  }
  return token;
}

/** A new id. */
export function nextId(): string {
  const own = ownToken();
  last += 1;
  return `${own}:${last}`;
}

/** The process that gave an id. */
export function tokenOf(id: string): string {
  return id.slice(0, id.indexOf(':'));
}

/** Classes that are kept although nobody uses them just now: a class that comes again shall be the same one. */
const KEPT = 256;

const ids = new WeakMap<object, string>();
const classes = new Map<string, WeakRef<object>>();
const kept = new Map<string, object>();
const gone = new FinalizationRegistry<string>((id) => {
  if (classes.get(id)?.deref() === undefined) classes.delete(id);
});

/** The id of a class that was sent or received before. */
export function knownClassId(type: object): string | undefined {
  return ids.get(type);
}

/** The id of a class, which gets one if it has none. */
export function classId(type: object): string {
  return ids.get(type) ?? registerClass(type, nextId());
}

/** Notes that `type` is what `id` names here. */
export function registerClass(type: object, id: string): string {
  ids.set(type, id);
  classes.set(id, new WeakRef(type));
  gone.register(type, id);
  keep(id, type);
  return id;
}

/** The class that `id` names here, if it is still there. */
export function classOf(id: string): object | undefined {
  const type = classes.get(id)?.deref();
  if (type !== undefined) keep(id, type);
  return type;
}

function keep(id: string, type: object): void {
  kept.delete(id);
  kept.set(id, type);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value as string);
}
