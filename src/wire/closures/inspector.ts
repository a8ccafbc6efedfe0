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

/** What V8 knows of a function. */
export interface FunctionView {
  readonly site: FunctionSite | null;
  readonly scopes: readonly FunctionScope[];
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

/**
 * Runs `use` with a session, which it must not keep.
 *
 * As short as can be: while one is connected, V8 keeps each object that is logged.
 *
 * @throws InspectorUnavailable when there is no inspector to be had.
 */
function withSession<T>(use: (session: Session) => T): T {
  let session: Session;
  try {
    const inspector = requireBuiltin('node:inspector') as typeof import('node:inspector');
    session = new inspector.Session();
    session.connect();
  } catch (cause) {
    throw new InspectorUnavailable('the inspector cannot be used', { cause });
  }
  try {
    return use(session);
  } finally {
    session.disconnect();
  }
}

interface Holder {
  fn: unknown;
  scopes: readonly { readonly description?: string; readonly object?: object }[] | null;
}

function objectId(reply: Reply): string {
  const { objectId: id } = reply['result'] as { readonly objectId?: string };
  if (id === undefined) throw new InspectorUnavailable('an object has no id');
  return id;
}

interface InternalProperty {
  readonly name: string;
  readonly value?: {
    readonly objectId?: string;
    readonly value?: {
      readonly scriptId: string;
      readonly lineNumber: number;
      readonly columnNumber: number;
    };
  };
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
  return withSession((session) => {
    const holder: Holder = { fn, scopes: null };
    // On `process`, as globalThis may be that of another context (vitest's vmThreads).
    const key = `furca:${randomUUID()}`;
    const host = process as unknown as Record<string, unknown>;
    Object.defineProperty(host, key, { value: holder, configurable: true, enumerable: false });
    let holderId: string;
    try {
      holderId = objectId(
        post(session, 'Runtime.evaluate', { expression: `process[${JSON.stringify(key)}]` }),
      );
    } finally {
      delete host[key];
    }
    const fnId = objectId(
      post(session, 'Runtime.callFunctionOn', {
        objectId: holderId,
        functionDeclaration: 'function(){return this.fn}',
      }),
    );
    const found = post(session, 'Runtime.getProperties', { objectId: fnId, ownProperties: true });
    const internals = (found['internalProperties'] ?? []) as readonly InternalProperty[];
    const location = internals.find(({ name }) => name === '[[FunctionLocation]]')?.value?.value;
    const scopesId = internals.find(({ name }) => name === '[[Scopes]]')?.value?.objectId;
    if (scopesId !== undefined) {
      post(session, 'Runtime.callFunctionOn', {
        objectId: scopesId,
        functionDeclaration: 'function(holder){holder.scopes=this}',
        arguments: [{ objectId: holderId }],
      });
    }
    return { site: location === undefined ? null : siteOf(location), scopes: scopesIn(holder) };
  });
}

function siteOf(location: { scriptId: string; lineNumber: number; columnNumber: number }): FunctionSite {
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

/**
 * Gives address and text of a script.
 *
 * Costs some milliseconds: V8 tells addresses only while the debugger is enabled, which is for as long as this call.
 * Another debugger that is attached keeps its breakpoints.
 *
 * @returns `null` when V8 no longer has the script.
 * @throws InspectorUnavailable when there is no inspector to be had.
 */
export function viewScript(scriptId: string): ScriptView | null {
  return withSession((session) => {
    let url: string | null = null;
    session.on('Debugger.scriptParsed', ({ params }) => {
      if (params.scriptId === scriptId) url = params.url;
    });
    post(session, 'Debugger.enable', {});
    try {
      const { scriptSource } = post(session, 'Debugger.getScriptSource', { scriptId });
      return url === null || typeof scriptSource !== 'string' ? null : { url, source: scriptSource };
    } finally {
      post(session, 'Debugger.disable', {});
    }
  });
}
