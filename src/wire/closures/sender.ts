import { types } from 'node:util';
import * as f from '../codec/format.js';
import { whyNotPlain } from '../codec/refusal.js';
import { step } from '../codec/trail.js';
import type { CodeWriting, Writer } from '../codec/writer.js';
import { Refused } from '../failures.js';
import { handleKindOf } from '../handles.js';
import { checkMethods, methodHome } from './class-members.js';
import { type AnyFunction, referenceUnit, type Unit } from './descriptor.js';
import { classId, knownClassId, tokenOf } from './identities.js';
import { type BoundParts, inspecting } from './inspector.js';
import { INTRINSIC, kindOf, whyNodesOwn, writeContents, writeOwnProperties } from './instances.js';
import { type ClosurePlan, capturedBy, describeFunction, planOf } from './plan.js';
import { namespaceUrl } from './received.js';
import type { Slot } from './scope-values.js';
import { SharedVariables } from './shared-variables.js';
import { twinOf } from './twins.js';

const NO_UNITS: Unit[] = [];

/** Error classes that were found not to travel: a program that throws many must not look for them each time. */
const unsendableErrors = new WeakSet<object>();

/** Writes functions, classes, their instances and symbols into messages; one for each writer. */
export class CodeSender implements CodeWriting {
  /** What the message refers to; a copy is the message's. */
  units: Unit[] = NO_UNITS;
  /** Whether the message would be the same the next time, whatever the program did meanwhile. */
  isConstant = true;
  /** The process whose classes need no description, because it is the receiver. */
  home: string | null = null;

  private readonly numbers = new Map<string, number>();
  private readonly shared = new SharedVariables();
  /** Classes of which the values that making them takes are being written. */
  private readonly defining = new Set<AnyFunction>();
  private isAtCell = false;
  private isClean = true;

  begin(): void {
    this.isConstant = true;
    this.isAtCell = false;
    if (this.isClean) return;
    // Even of an empty Map, `clear` takes longer than packing a number.
    this.units = NO_UNITS;
    this.numbers.clear();
    this.shared.clear();
    this.defining.clear();
    this.isClean = true;
  }

  /** Lets go of the caller's objects. */
  end(): void {
    if (!this.isClean) this.shared.clear();
  }

  primitive(writer: Writer, value: AnyFunction | symbol): void {
    if (typeof value === 'symbol') this.symbol(writer, value);
    else this.function(writer, value);
  }

  private unit(writer: Writer, unit: Unit): void {
    // Never the array that a message without code was given.
    if (this.isClean) this.units = [];
    this.isClean = false;
    let number = this.numbers.get(unit.id);
    if (number === undefined) {
      number = this.units.push(unit) - 1;
      this.numbers.set(unit.id, number);
    }
    writer.amount(number);
  }

  private symbol(writer: Writer, value: symbol): void {
    const key = Symbol.keyFor(value);
    const wellKnown = key === undefined ? wellKnownName(value) : undefined;
    if (key === undefined && wellKnown === undefined && writer.wasOpened(value)) return;
    writer.codeOp(f.SYMBOL);
    writer.amount(key !== undefined ? f.REGISTERED : wellKnown !== undefined ? f.WELL_KNOWN : f.UNIQUE);
    writer.value(key ?? wellKnown ?? value.description);
  }

  private function(writer: Writer, fn: AnyFunction): void {
    const isCell = this.isAtCell;
    this.isAtCell = false;
    if (this.defining.has(fn) && !isCell) {
      throw new Refused({
        what: describeFunction(fn),
        fact: 'it is needed to make itself',
        hint: 'Set what refers to the class after the class is made.',
      });
    }
    const plan = planOf(fn);
    if (plan.kind === 'bound' && this.writeFirst(writer, fn, plan.parts)) return;
    if (writer.wasOpened(fn)) return;
    switch (plan.kind) {
      case 'global':
        writer.codeOp(f.GLOBAL);
        writer.value(plan.path);
        break;
      case 'reference':
        writer.codeOp(f.REFERENCE);
        this.unit(writer, plan.unit);
        break;
      case 'bound':
        this.bound(writer, plan.parts);
        break;
      case 'closure':
        writer.within(
          step(() => named(fn, plan)),
          () => {
            if (plan.code.unit.isClass) this.class(writer, fn, plan);
            else this.closure(writer, fn, plan);
          },
        );
        break;
    }
  }

  /** A bound function refers to objects that often refer back to it: those are written before it. */
  private writeFirst(writer: Writer, fn: AnyFunction, { target, self, args }: BoundParts): boolean {
    if (writer.isOpened(fn)) return false;
    for (const [part, words] of [
      [self, 'bound this'],
      ...args.map((arg, index) => [arg, `bound argument ${index}`]),
      methodHome(target, self)?.type === undefined
        ? [target, 'bound function']
        : [methodHome(target, self)?.type, 'class'],
    ] as const) {
      const isObject = (typeof part === 'object' && part !== null) || typeof part === 'function';
      if (!isObject || writer.isOpened(part)) continue;
      writer.codeOp(f.AFTER);
      writer.within(
        step(() => String(words)),
        () => writer.value(part),
      );
      this.function(writer, fn);
      return true;
    }
    return false;
  }

  private bound(writer: Writer, { target, self, args }: BoundParts): void {
    this.isConstant = false;
    writer.codeOp(f.BOUND);
    writer.within(
      step(() => 'bound function'),
      () => this.boundTarget(writer, target, self),
    );
    writer.within(
      step(() => 'bound this'),
      () => writer.value(self),
    );
    writer.within(
      step(() => 'bound arguments'),
      () => writer.value(args),
    );
  }

  /** A method goes as its class's, for it may use `super` and private names; any other function as itself. */
  private boundTarget(writer: Writer, target: unknown, self: unknown): void {
    const home = methodHome(target, self);
    if (home === null || writer.isOpened(target as object)) {
      writer.value(target);
      return;
    }
    writer.wasOpened(target as object);
    writer.codeOp(f.METHOD);
    writer.value(home.type);
    writer.amount(home.isStatic ? 1 : 0);
    writer.value(home.name);
  }

  private closure(writer: Writer, fn: AnyFunction, plan: ClosurePlan): void {
    writer.codeOp(f.FUNCTION);
    this.unit(writer, plan.code.unit);
    const prototype = ownPrototype(fn);
    const hasMethods = prototype !== null && Object.keys(prototype).length > 0;
    const isClassLike = hasMethods || knownClassId(fn) !== undefined;
    writer.value(isClassLike ? classId(fn) : '');
    writer.value(nameOf(fn));
    this.captures(writer, fn, plan, 0, plan.code.slots.length);
    this.properties(writer, fn, Object.keys(fn), 'property');
    this.prototype(writer, prototype, prototype === null ? [] : Object.keys(prototype));
  }

  private class(writer: Writer, fn: AnyFunction, plan: ClosurePlan): void {
    const { code } = plan;
    const id = classId(fn);
    if (this.home !== null && tokenOf(id) === this.home) {
      writer.codeOp(f.HOME_CLASS);
      writer.value(id);
      return;
    }
    const prototype = fn.prototype as object;
    checkMethods(fn, code.members);
    writer.codeOp(f.CLASS);
    writer.value(id);
    this.unit(writer, code.unit);
    writer.value(nameOf(fn));
    writer.amount(code.early);
    this.defining.add(fn);
    try {
      if (code.isDerived) {
        writer.within(
          step(() => 'superclass'),
          () => writer.value(Object.getPrototypeOf(fn)),
        );
      }
      this.captures(writer, fn, plan, 0, code.early);
    } finally {
      this.defining.delete(fn);
    }
    this.captures(writer, fn, plan, code.early, code.slots.length);
    this.properties(writer, fn, carriedStatics(fn, code.members.statics), 'static');
    this.prototype(writer, prototype, Object.keys(prototype));
  }

  /** Writes the captured values from slot `from` to `to`. */
  private captures(writer: Writer, fn: AnyFunction, plan: ClosurePlan, from: number, to: number): void {
    if (from === to) return;
    const { values, view } = capturedBy(fn, plan);
    if (plan.constants === null) this.isConstant = false;
    for (let i = from; i < to; i += 1) {
      const slot = plan.code.slots[i] as Slot;
      const value = values[i];
      if (slot.cellKey === null) this.shared.check(fn, slot, view?.scopes ?? []);
      writer.within(
        step(() => `captured variable ${slot.name}`),
        () => {
          if (slot.cellKey !== null) writer.value(this.shared.cell(slot.cellKey, value));
          else {
            this.isAtCell = typeof value === 'function';
            writer.value(value);
            this.isAtCell = false;
          }
        },
      );
      if (typeof value === 'object' && value !== null) this.isConstant = false;
    }
  }

  private properties(writer: Writer, owner: object, keys: readonly string[], word: string): void {
    writer.amount(keys.length);
    if (keys.length > 0) this.isConstant = false;
    for (const key of keys) {
      writer.value(key);
      writer.within(
        step(() => `${word} ${key}`),
        () => writer.value((owner as Record<string, unknown>)[key]),
      );
    }
  }

  private prototype(writer: Writer, prototype: object | null, keys: readonly string[]): void {
    this.properties(writer, prototype ?? {}, keys, 'prototype');
  }

  instance(writer: Writer, value: object, proto: object | null): boolean {
    if (INTRINSIC.has(proto) || proto === null) return false;
    if (handleKindOf(value) !== undefined) return false;
    if (types.isModuleNamespaceObject(value)) return this.namespace(writer, value);
    if (types.isNativeError(value) || ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value))
      return false;
    const maker: unknown = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value;
    if (typeof maker !== 'function' || maker.prototype !== proto || value instanceof DOMException)
      return false;
    // A class of another realm, or one that keeps its data where no property shows it.
    if (Function.prototype.toString.call(maker).endsWith('{ [native code] }')) return false;
    if (this.twin(writer, value)) return true;
    const kind = kindOf(value);
    const refusal = whyNotPlain(value) ?? whyNodesOwn(value, proto);
    if (refusal !== null) throw new Refused(refusal);
    writer.codeOp(f.INSTANCE);
    writer.amount(kind);
    this.isConstant = false;
    const isWritten = planOf(maker as AnyFunction).kind === 'closure';
    if (isWritten) classId(maker);
    writer.within(
      step(() => `class ${nameOf(maker as AnyFunction)}`),
      () => writer.value(maker),
    );
    writeContents(writer, value, kind);
    writeOwnProperties(writer, value, kind === f.OF_ARRAY);
    return true;
  }

  private twin(writer: Writer, value: object): boolean {
    const twin = twinOf(value);
    if (twin === undefined) return false;
    writer.codeOp(f.TWIN);
    writer.value(twin.id);
    writer.amount(twin.home === null ? 0 : 1);
    if (twin.home !== null) this.unit(writer, twin.home);
    return true;
  }

  /** A module as a whole, where it is known which. */
  private namespace(writer: Writer, value: object): boolean {
    const url = namespaceUrl(value);
    if (url === undefined) return false;
    writer.codeOp(f.REFERENCE);
    this.unit(writer, referenceUnit(url, '*'));
    return true;
  }

  errorClass(writer: Writer, error: Error): void {
    const proto = Object.getPrototypeOf(error) as object | null;
    const maker: unknown =
      proto === null ? null : Object.getOwnPropertyDescriptor(proto, 'constructor')?.value;
    if (typeof maker !== 'function' || maker.prototype !== proto || unsendableErrors.has(maker)) {
      writer.value(null);
      return;
    }
    const failed = writer.attempt(() => inspecting(() => writer.value(maker)));
    if (failed === null) return;
    unsendableErrors.add(maker);
    writer.value(null);
  }
}

function nameOf(fn: AnyFunction): string {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, 'name')?.value;
  return typeof name === 'string' ? name : '';
}

function named(fn: AnyFunction, { code }: ClosurePlan): string {
  return code.where === null ? describeFunction(fn) : `${describeFunction(fn)} (${code.where})`;
}

function wellKnownName(value: symbol): string | undefined {
  const { description = '' } = value;
  const name = description.replace(/^Symbol\./, '');
  return (Symbol as unknown as Record<string, unknown>)[name] === value ? name : undefined;
}

/** What instances of a plain function inherit. */
function ownPrototype(fn: AnyFunction): object | null {
  const prototype: unknown = Object.getOwnPropertyDescriptor(fn, 'prototype')?.value;
  return typeof prototype === 'object' && prototype !== null && Object.hasOwn(prototype, 'constructor')
    ? prototype
    : null;
}

/** Static fields are made anew with the class; what changed since and is simple goes along, and what was added later. */
function carriedStatics(fn: AnyFunction, declared: ReadonlySet<string>): readonly string[] {
  return Object.keys(fn).filter((key) => {
    const descriptor = Object.getOwnPropertyDescriptor(fn, key);
    if (descriptor === undefined || !('value' in descriptor)) return false;
    const { value } = descriptor as { readonly value: unknown };
    return !declared.has(key) || (typeof value !== 'object' && typeof value !== 'function');
  });
}
