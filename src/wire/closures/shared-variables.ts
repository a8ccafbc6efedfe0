import { Refused } from '../failures.js';
import type { AnyFunction } from './descriptor.js';
import type { FunctionScope } from './inspector.js';
import { type Slot, scopeWith } from './scope-values.js';
import type { Binding } from './script-scopes.js';

/** Variables that functions of one message have in common. */
export class SharedVariables {
  /** Reassigned variables of modules: one object each, which all functions that use the variable refer to. */
  private readonly cells = new Map<string, { v: unknown }>();
  /** Functions that capture a reassigned variable of an inner scope, by the variable. */
  private readonly owners = new Map<Binding, { fn: AnyFunction; scope: FunctionScope | null }[]>();

  clear(): void {
    this.cells.clear();
    this.owners.clear();
  }

  cell(key: string, value: unknown): { v: unknown } {
    let cell = this.cells.get(key);
    if (cell === undefined) {
      cell = { v: value };
      this.cells.set(key, cell);
    }
    return cell;
  }

  /** Two functions that share a variable which changes would have one each on the other side. */
  check(fn: AnyFunction, { name, binding }: Slot, scopes: readonly FunctionScope[]): void {
    if (binding === null || !binding.isReassigned) return;
    const scope = scopeWith(name, scopes);
    const owners = this.owners.get(binding) ?? [];
    for (const other of owners) {
      if (other.fn === fn || !mayBeSame(scope, other.scope)) continue;
      throw new Refused({
        what: `captured variable ${name}`,
        fact: `\`${name}\` is reassigned and shared by two functions`,
        hint: `Put it in an object: \`const s = { ${name} }\`.`,
      });
    }
    owners.push({ fn, scope });
    this.owners.set(binding, owners);
  }
}

/** Whether two looks may have seen one and the same scope: V8 does not tell, but different values do. */
function mayBeSame(one: FunctionScope | null, other: FunctionScope | null): boolean {
  if (one === null || other === null) return true;
  return Object.keys(one.object).every((name) => {
    try {
      return Object.is(
        (one.object as Record<string, unknown>)[name],
        (other.object as Record<string, unknown>)[name],
      );
    } catch {
      return true;
    }
  });
}
