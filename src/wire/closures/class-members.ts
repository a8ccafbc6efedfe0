import { Refused } from '../failures.js';
import type { AnyFunction } from './descriptor.js';
import type { SyntaxNode } from './free-names.js';
import type { FunctionText } from './function-text.js';

/** A method as it stands in its class. */
interface WrittenMethod {
  readonly name: string;
  readonly isStatic: boolean;
  readonly kind: 'method' | 'get' | 'set';
  /** Parameters and body. */
  readonly text: string;
}

/** What stands in a class. */
export interface ClassMembers {
  readonly methods: readonly WrittenMethod[];
  /** Static fields with a name. */
  readonly statics: ReadonlySet<string>;
}

export const NO_MEMBERS: ClassMembers = { methods: [], statics: new Set() };

/** Lists what stands in a class. */
export function membersOf({ members, expression, base }: FunctionText): ClassMembers {
  const methods: WrittenMethod[] = [];
  const statics = new Set<string>();
  for (const member of members) {
    const name = keyOf(member);
    if (name === null) continue;
    const isStatic = member['static'] === true;
    if (member.type === 'PropertyDefinition' && isStatic) statics.add(name);
    const kind = member['kind'];
    if (kind !== 'method' && kind !== 'get' && kind !== 'set') continue;
    const value = member['value'] as SyntaxNode;
    methods.push({ name, isStatic, kind, text: expression.slice(value.start - base, value.end - base) });
  }
  return { methods, statics };
}

function keyOf(member: SyntaxNode): string | null {
  const key = member['key'] as SyntaxNode | undefined;
  if (key === undefined || member['computed'] === true) return null;
  if (key.type === 'Identifier') return key['name'] as string;
  return key.type === 'Literal' ? String(key['value']) : null;
}

/**
 * Refuses a class whose methods are not those of its text: its text is all that travels.
 *
 * @throws Refused
 */
export function checkMethods(type: AnyFunction, { methods }: ClassMembers): void {
  for (const { name, isStatic, kind, text } of methods) {
    const owner = (isStatic ? type : type.prototype) as object;
    const descriptor = Object.getOwnPropertyDescriptor(owner, name);
    const now: unknown = kind === 'method' ? descriptor?.value : descriptor?.[kind];
    if (typeof now === 'function' && Function.prototype.toString.call(now).endsWith(text)) continue;
    throw new Refused({
      what: `method ${name}`,
      fact: `\`${name}\` was replaced after the class was written (a decorator?)`,
      hint: 'Export the class from a module of its own.',
    });
  }
}

/** The class that a method belongs to, as seen from the object it is bound to; `null` for any other function. */
export function methodHome(
  method: unknown,
  self: unknown,
): { readonly type: AnyFunction; readonly isStatic: boolean; readonly name: string } | null {
  if (typeof method !== 'function' || (typeof self !== 'object' && typeof self !== 'function')) return null;
  const { name } = method;
  for (
    let level = self as object | null;
    level !== null;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    if (Object.getOwnPropertyDescriptor(level, name)?.value !== method) continue;
    const isStatic = typeof level === 'function';
    const type: unknown = isStatic ? level : Object.getOwnPropertyDescriptor(level, 'constructor')?.value;
    const isClass = typeof type === 'function' && /^class\b/.test(Function.prototype.toString.call(type));
    return isClass ? { type: type as AnyFunction, isStatic, name } : null;
  }
  return null;
}
