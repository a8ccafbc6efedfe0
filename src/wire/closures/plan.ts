import { types } from 'node:util';
import { Refused } from '../failures.js';
import { NO_MEMBERS } from './class-members.js';
import { type Code, codeOf, isFixed, isKnownGlobal } from './code.js';
import { type AnyFunction, type ReferenceUnit, SUPER_NAME } from './descriptor.js';
import { type FunctionText, readFunctionText } from './function-text.js';
import { globalPathOf } from './globals.js';
import { type BoundParts, type FunctionView, InspectorUnavailable, viewFunction } from './inspector.js';
import { receivedCode } from './received.js';
import { findInBuiltin, findReference } from './references.js';
import { readCaptured } from './scope-values.js';
import { type Script, scriptOf } from './script-analysis.js';

/** How a function travels. */
export type Plan =
  | { readonly kind: 'global'; readonly path: string }
  | { readonly kind: 'reference'; readonly unit: ReferenceUnit }
  | { readonly kind: 'bound'; readonly parts: BoundParts }
  | ClosurePlan;

/** A function or class that travels by value. */
export interface ClosurePlan {
  readonly kind: 'closure';
  readonly code: Code;
  /** What it captures, where that can never change. */
  readonly constants: readonly unknown[] | null;
}

/** What a function captures at this moment. */
export interface Captured {
  readonly values: readonly unknown[];
  readonly view: FunctionView | null;
}

const plans = new WeakMap<AnyFunction, Plan>();

/** Says beforehand how a function travels. */
export function planAs(fn: AnyFunction, plan: Plan): void {
  plans.set(fn, plan);
}

/**
 * Finds out how a function travels; the second time costs nothing.
 *
 * @throws Refused when it cannot.
 */
export function planOf(fn: AnyFunction): Plan {
  let plan = plans.get(fn);
  if (plan === undefined) {
    plan = makePlan(fn);
    plans.set(fn, plan);
  }
  return plan;
}

/** What a function captures, read anew unless it cannot have changed. */
export function capturedBy(fn: AnyFunction, { code, constants }: ClosurePlan): Captured {
  if (constants !== null) return { values: constants, view: null };
  const received = receivedCode(fn);
  if (received !== undefined) return { values: received.values(), view: null };
  const view = viewFunction(fn);
  return { values: code.slots.map((slot) => readCaptured(slot, view.scopes)), view };
}

/** Why functions and classes of Node's own scripts are refused, where no builtin module exports them. */
export const NODES_OWN = 'it belongs to Node itself';

const NO_INSPECTOR =
  'By value a function needs the inspector: run Node 24 or later with --allow-inspector, or without --permission, or name an exported function with functionIn().';

function makePlan(fn: AnyFunction): Plan {
  if (types.isProxy(fn)) {
    throw new Refused({ what: 'a Proxy', hint: 'Wrap it: `(...args) => fn(...args)`.' });
  }
  const received = receivedCode(fn);
  if (received !== undefined)
    return { kind: 'closure', code: codeOfReceived(received.unit), constants: null };
  const text = Function.prototype.toString.call(fn);
  const isNative = text.endsWith('{ [native code] }');
  const path = globalPathOf(fn, isNative);
  if (path !== null) return { kind: 'global', path };
  return isNative ? planNative(fn) : planWritten(fn, text);
}

function codeOfReceived(unit: Code['unit']): Code {
  const slots = unit.names.map((name) => ({ name, binding: null, cellKey: null }));
  return {
    unit,
    slots,
    early: unit.isClass ? unit.names.length : 0,
    members: NO_MEMBERS,
    isDerived: unit.source.includes(SUPER_NAME),
    where: unit.url === null ? null : `${unit.url}:${unit.line + 1}:${unit.column + 1}`,
  };
}

function planNative(fn: AnyFunction): Plan {
  const view = lookAt(fn);
  if (view instanceof InspectorUnavailable) {
    throw new Refused({
      what: `function ${fn.name}`,
      fact: 'it is native code',
      hint: NO_INSPECTOR,
      cause: view,
    });
  }
  if (view.bound !== null) return { kind: 'bound', parts: view.bound };
  const unit = findInBuiltin(fn, 'node:path');
  if (unit !== null) return { kind: 'reference', unit };
  throw new Refused({
    what: `function ${fn.name}`,
    fact: 'it is native code that no global name leads to',
    hint: 'Wrap it: `(x) => theFunction(x)`.',
  });
}

/** Texts of functions that were understood, the latest last. */
const texts = new Map<string, FunctionText>();
const MAX_TEXTS = 512;
const MAX_TEXT_CHARS = 16_384;

function understand(fn: AnyFunction, text: string): FunctionText {
  const isSloppy = /^(async\s+)?function\b/.test(text) && isSloppyFunction(fn);
  const key = `${isSloppy ? 'v' : 's'}${text}`;
  let read = texts.get(key);
  if (read === undefined) {
    read = readFunctionText(text, isSloppy);
    if (text.length <= MAX_TEXT_CHARS) {
      if (texts.size >= MAX_TEXTS) texts.delete(texts.keys().next().value as string);
      texts.set(key, read);
    }
  }
  return read;
}

/** `caller` may be read on sloppy plain functions only; the own property that once told them apart is gone in Node 26. */
function isSloppyFunction(fn: AnyFunction): boolean {
  const limit = Error.stackTraceLimit;
  // Collecting the stack of an error nobody sees is most of the cost.
  Error.stackTraceLimit = 0;
  try {
    Reflect.get(fn, 'caller');
    return true;
  } catch {
    return false;
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function planWritten(fn: AnyFunction, text: string): Plan {
  const read = understand(fn, text);
  const what = describeFunction(fn, read);
  if (read.form === 'accessor') {
    throw new Refused({
      what: 'a getter or setter function',
      hint: 'Pass a function that takes the object as an argument.',
    });
  }
  if (read.form === 'unknown') {
    throw new Refused({ what, fact: 'its text cannot be read', hint: 'Wrap it in a function of your own.' });
  }
  if (isSelfSufficient(read)) return planSelfSufficient(fn, text, read, what);
  const view = lookAt(fn);
  if (view instanceof InspectorUnavailable) return planUnseen(fn, read, what, view);
  const script = needsScript(read, view) ? scriptOf(view.site?.scriptId ?? '', hasModule(view)) : null;
  if (script !== null) {
    const unit = script.url.startsWith('node:')
      ? findInBuiltin(fn, script.url)
      : findReference(fn, view, script);
    if (unit !== null) return { kind: 'reference', unit };
    if (script.url.startsWith('node:')) {
      throw new Refused({
        what,
        fact: NODES_OWN,
        hint: 'Import it in the function that needs it.',
      });
    }
  }
  return planByValue(fn, text, read, view, script, what);
}

/** Uses nothing but its arguments and names that mean the same everywhere: it need not be looked at each time it is made anew. */
function isSelfSufficient({
  form,
  surroundings: { names, context, hasDynamicImport },
}: FunctionText): boolean {
  return form !== 'class' && context.size === 0 && !hasDynamicImport && [...names].every(isFixed);
}

/** Code of self-sufficient functions by their text, the latest last. */
const selfSufficient = new Map<string, Code>();

function planSelfSufficient(fn: AnyFunction, text: string, read: FunctionText, what: string): Plan {
  const key = `${read.isStrict}${text}`;
  let code = selfSufficient.get(key);
  if (code === undefined) {
    const view = lookAt(fn);
    const seen = view instanceof InspectorUnavailable ? null : view;
    code = codeOf(fn, text, read, seen, null, what);
    if (text.length <= MAX_TEXT_CHARS) {
      if (selfSufficient.size >= MAX_TEXTS)
        selfSufficient.delete(selfSufficient.keys().next().value as string);
      selfSufficient.set(key, code);
    }
  }
  return { kind: 'closure', code, constants: [] };
}

/** The name under which a module exports a function, also where the function could as well travel by value; `null` where none does. */
export function exportedAs(fn: AnyFunction): ReferenceUnit | null {
  const plan = planOf(fn);
  if (plan.kind === 'reference') return plan.unit;
  if (plan.kind !== 'closure') return null;
  const view = lookAt(fn);
  if (view instanceof InspectorUnavailable || view.site === null) return null;
  const script = scriptOf(view.site.scriptId, hasModule(view));
  return script === null ? null : findReference(fn, view, script);
}

function lookAt(fn: AnyFunction): FunctionView | InspectorUnavailable {
  try {
    return viewFunction(fn);
  } catch (error) {
    if (error instanceof InspectorUnavailable) return error;
    throw error;
  }
}

function hasModule({ scopes }: FunctionView): boolean {
  return scopes.some(({ kind }) => kind === 'Module');
}

/** A function that takes nothing from around it is the same wherever it was written. */
function needsScript(read: FunctionText, view: FunctionView): boolean {
  if (read.form === 'class') return true;
  const { names, context, hasDynamicImport } = read.surroundings;
  if (context.size > 0 || hasDynamicImport) return true;
  return [...names].some((name) => isCaptured(view, name) || !isKnownGlobal(name));
}

function isCaptured({ scopes }: FunctionView, name: string): boolean {
  return scopes.some(({ kind, object }) => kind !== 'Global' && Object.hasOwn(object, name));
}

/** Without the inspector: what uses nothing but its arguments and built-in globals still goes. */
function planUnseen(fn: AnyFunction, read: FunctionText, what: string, cause: InspectorUnavailable): Plan {
  const { names, context, hasDynamicImport } = read.surroundings;
  const captured = [...names].filter((name) => !isKnownGlobal(name));
  const needs = [...captured, ...context, ...(hasDynamicImport ? ['import()'] : [])];
  if (read.form === 'class' || needs.length > 0) {
    throw new Refused({
      what,
      fact:
        needs.length > 0
          ? `it uses ${listed(needs)}, and what stands behind these names only the inspector can tell`
          : 'it is a class',
      hint: NO_INSPECTOR,
      cause,
    });
  }
  return { kind: 'closure', code: codeOf(fn, '', read, null, null, what), constants: [] };
}

function planByValue(
  fn: AnyFunction,
  text: string,
  read: FunctionText,
  view: FunctionView,
  script: Script | null,
  what: string,
): Plan {
  const code = codeOf(fn, text, read, view, script, what);
  const values = code.slots.map((slot) => readCaptured(slot, view.scopes));
  const isConstant = code.slots.every(
    // What is undefined may not have been set yet: `var`, and on Node 20 any variable.
    ({ binding }, index) => binding !== null && !binding.isReassigned && values[index] !== undefined,
  );
  return { kind: 'closure', code, constants: isConstant ? values : null };
}

/** What a function is called in a refusal. */
export function describeFunction(fn: AnyFunction, read?: FunctionText): string {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, 'name')?.value;
  const isClass = (read?.form ?? '') === 'class' || /^class\b/.test(Function.prototype.toString.call(fn));
  const kind = isClass ? 'class' : 'function';
  return typeof name === 'string' && name !== '' ? `${kind} ${name}` : `an anonymous ${kind}`;
}

/** Names in words. */
export function listed(names: readonly string[]): string {
  const quoted = names.map((name) => `\`${name}\``);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`;
}
