import { randomUUID } from 'node:crypto';
import type { Session } from 'node:inspector';
import { createRequire } from 'node:module';
import { MODULES } from '../../base/programs.js';

/** One level of the scopes around a function, innermost first; `object` holds the live values. */
export interface FunctionScope {
  /** V8's words: `Closure (f)`, `Block (f)`, `Module`, `Script`, `Global`, … */
  readonly kind: string;
  readonly object: object;
}

/** Where a function was written, as V8 knows it. */
export interface FunctionSite {
  readonly scriptId: string;
  /** Both from 0. */
  readonly line: number;
  readonly column: number;
}

/** What a function made by `bind` is made of. */
export interface BoundParts {
  readonly target: unknown;
  readonly self: unknown;
  readonly args: readonly unknown[];
}

/** What V8 knows of a function. */
export interface FunctionView {
  readonly site: FunctionSite | null;
  readonly scopes: readonly FunctionScope[];
  readonly bound: BoundParts | null;
}

/** The text that V8 compiled, and the address it has for it. */
export interface ScriptView {
  readonly url: string;
  readonly source: string;
}

/** The inspector cannot be used: forbidden by `--permission`, or left out of this Node. */
export class InspectorUnavailable extends Error {}

type Reply = Readonly<Record<string, unknown>>;

const requireBuiltin: NodeJS.Require = createRequire(MODULES);

// The reply comes before `post` returns, because the inspector runs on this very thread.
function post(session: Session, method: string, params: object): Reply {
  let failure: Error | null = null;
  let reply: Reply | undefined;
  (
    session.post as (
      method: string,
      params: object,
      callback: (error: Error | null, reply: Reply) => void,
    ) => void
  )(method, params, (error, result) => {
    failure = error;
    reply = result;
  });
  if (failure !== null || reply === undefined) {
    throw new InspectorUnavailable(`${method} was not answered`, { cause: failure });
  }
  return reply;
}

interface RemoteValue {
  readonly objectId?: string;
  readonly value?: unknown;
  readonly unserializableValue?: string;
}

interface InternalProperty {
  readonly name: string;
  readonly value?: RemoteValue;
}

/** What the session and this program hand each other. */
interface Holder {
  fn: unknown;
  scopes: readonly { readonly description?: string; readonly object?: object }[] | null;
  target: unknown;
  self: unknown;
  args: readonly unknown[];
}

interface OpenInspection {
  readonly session: Session;
  readonly holder: Holder;
  readonly holderId: string;
}

let open: OpenInspection | null = null;
let users = 0;

/**
 * Runs `use`, within which all looks share one session; it is closed when the outermost such call returns.
 *
 * Nothing is opened before the first look. Not to be held across an `await`: while a session is connected, V8 keeps each object that is
 * logged, and logging is slow.
 */
export function inspecting<T>(use: () => T): T {
  beginInspecting();
  try {
    return use();
  } finally {
    endInspecting();
  }
}

/** Begins what `endInspecting` must end; see `inspecting`. */
export function beginInspecting(): void {
  users += 1;
}

export function endInspecting(): void {
  users -= 1;
  if (users === 0 && open !== null) closeInspection();
}

/** Tells whether a session of this module is connected. */
export function isInspecting(): boolean {
  return open !== null;
}

function closeInspection(): void {
  const closing = open;
  open = null;
  closing?.session.disconnect();
}

function openInspection(): OpenInspection {
  if (open !== null) return open;
  let session: Session;
  try {
    const inspector = requireBuiltin('node:inspector') as typeof import('node:inspector');
    session = new inspector.Session();
    session.connect();
  } catch (cause) {
    throw new InspectorUnavailable('the inspector cannot be used', { cause });
  }
  try {
    const holder: Holder = { fn: null, scopes: null, target: undefined, self: undefined, args: [] };
    open = { session, holder, holderId: idOfHolder(session, holder) };
    return open;
  } catch (error) {
    session.disconnect();
    throw error;
  }
}

/** Nobody's by chance; the same each time, or V8 would keep a script and a name for every look. */
let holderKey: string | undefined;

function idOfHolder(session: Session, holder: Holder): string {
  // On `process`, as globalThis may be that of another context (vitest's vmThreads).
  holderKey ??= `furca:${randomUUID()}`;
  const key = holderKey;
  const host = process as unknown as Record<string, unknown>;
  Object.defineProperty(host, key, { value: holder, configurable: true, enumerable: false });
  try {
    return objectId(post(session, 'Runtime.evaluate', { expression: `process[${JSON.stringify(key)}]` }));
  } finally {
    delete host[key];
  }
}

function objectId(reply: Reply): string {
  const { objectId: id } = reply['result'] as RemoteValue;
  if (id === undefined) throw new InspectorUnavailable('an object has no id');
  return id;
}

/**
 * Looks at a function through the inspector: where it was written, and the variables around it.
 *
 * The scopes are a snapshot; of them only variables that some closure captures are there, and all imports and exports
 * of a module.
 *
 * @throws InspectorUnavailable when there is no inspector to be had.
 */
export function viewFunction(fn: unknown): FunctionView {
  return inspecting(() => {
    const { session, holder, holderId } = openInspection();
    try {
      holder.fn = fn;
      const fnId = objectId(
        post(session, 'Runtime.callFunctionOn', {
          objectId: holderId,
          functionDeclaration: 'function(){return this.fn}',
        }),
      );
      const found = post(session, 'Runtime.getProperties', { objectId: fnId, ownProperties: true });
      const internals = (found['internalProperties'] ?? []) as readonly InternalProperty[];
      const part = (name: string): RemoteValue | undefined =>
        internals.find((internal) => internal.name === name)?.value;
      const location = part('[[FunctionLocation]]')?.value as RawLocation | undefined;
      takeScopes(session, holderId, part('[[Scopes]]')?.objectId);
      const target = part('[[TargetFunction]]');
      return {
        site: location === undefined ? null : siteOf(location),
        scopes: scopesIn(holder),
        bound:
          target === undefined
            ? null
            : takeBound(session, holder, holderId, [target, part('[[BoundThis]]'), part('[[BoundArgs]]')]),
      };
    } finally {
      Object.assign(holder, { fn: null, scopes: null, target: undefined, self: undefined, args: [] });
    }
  });
}

interface RawLocation {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

function takeScopes(session: Session, holderId: string, scopesId: string | undefined): void {
  if (scopesId === undefined) return;
  post(session, 'Runtime.callFunctionOn', {
    objectId: scopesId,
    functionDeclaration: 'function(holder){holder.scopes=this}',
    arguments: [{ objectId: holderId }],
  });
}

function takeBound(
  session: Session,
  holder: Holder,
  holderId: string,
  parts: readonly (RemoteValue | undefined)[],
): BoundParts {
  post(session, 'Runtime.callFunctionOn', {
    objectId: holderId,
    functionDeclaration: 'function(target,self,args){this.target=target;this.self=self;this.args=args}',
    arguments: parts.map(argumentOf),
  });
  const { target, self, args } = holder;
  return { target, self, args: Array.isArray(args) ? [...args] : [] };
}

function argumentOf(remote: RemoteValue | undefined): object {
  if (remote === undefined) return {};
  if (remote.objectId !== undefined) return { objectId: remote.objectId };
  if (remote.unserializableValue !== undefined) return { unserializableValue: remote.unserializableValue };
  return 'value' in remote ? { value: remote.value } : {};
}

function siteOf(location: RawLocation): FunctionSite {
  return { scriptId: location.scriptId, line: location.lineNumber, column: location.columnNumber };
}

function scopesIn({ scopes }: Holder): readonly FunctionScope[] {
  const result: FunctionScope[] = [];
  for (let i = 0; i < (scopes?.length ?? 0); i += 1) {
    const scope = scopes?.[i];
    if (scope?.object !== undefined) result.push({ kind: scope.description ?? '', object: scope.object });
  }
  return result;
}

/** Scripts that were looked at, the latest last; a program that compiles texts without end must not fill them. */
const scripts = new Map<string, ScriptView | null>();
const MAX_SCRIPTS = 256;

/**
 * Gives address and text of a script.
 *
 * The first time costs some milliseconds: V8 tells addresses only while the debugger is enabled, which is for as long as this call.
 * Another debugger that is attached keeps its breakpoints.
 *
 * @returns `null` when V8 no longer has the script.
 * @throws InspectorUnavailable when there is no inspector to be had.
 */
export function viewScript(scriptId: string): ScriptView | null {
  let script = scripts.get(scriptId);
  if (script === undefined) {
    script = readScript(scriptId);
    if (scripts.size >= MAX_SCRIPTS) scripts.delete(scripts.keys().next().value as string);
    scripts.set(scriptId, script);
  }
  return script;
}

function readScript(scriptId: string): ScriptView | null {
  return inspecting(() => {
    const { session } = openInspection();
    let url: string | null = null;
    const listener = ({ params }: { params: { scriptId: string; url: string } }): void => {
      if (params.scriptId === scriptId) url = params.url;
    };
    session.on('Debugger.scriptParsed', listener);
    post(session, 'Debugger.enable', {});
    try {
      const { scriptSource } = post(session, 'Debugger.getScriptSource', { scriptId });
      return url === null || typeof scriptSource !== 'string' ? null : { url, source: scriptSource };
    } catch {
      return null;
    } finally {
      post(session, 'Debugger.disable', {});
      session.off('Debugger.scriptParsed', listener);
    }
  });
}
