import type { WaitOptions } from '../connection/waiting.js';
import type { Reducible, Reduction } from '../pickle/reduction.js';
import type { ManagerClient } from './client.js';
import { PROXY_KEY } from './dialect.js';
import { proxyClosed } from './failures.js';
import type { Lane } from './lanes.js';
import { proxyReduction } from './pickle-dialect.js';
import type { ProxyRecord, Token } from './protocol.js';

/** How one call is made. */
export interface CallOptions extends WaitOptions {
  /** Keyword arguments, for methods of Python. Default none. */
  readonly keywords?: Readonly<Record<string, unknown>> | undefined;
}

interface State {
  readonly client: ManagerClient;
  readonly record: ProxyRecord;
  lane: Promise<Lane> | undefined;
  /** The calls on the own lane, one after another. */
  turn: Promise<unknown>;
  isClosed: boolean;
}

/** Kept outside the proxies: they travel as objects without private fields. */
const states = new WeakMap<object, State>();

/** Lets go of objects whose proxies were forgotten instead of closed. */
const forgotten = new FinalizationRegistry<State>((state) => void letGo(state));

/**
 * Stands for an object that lives in a manager's server. What its methods take and give is copied; the object stays where it is.
 *
 * A proxy can be passed to methods of other objects of the same server, and be in what they give. `close()` lets go of the object; the
 * last one to do so frees it. Two proxies are never equal by value.
 */
export class BaseProxy implements AsyncDisposable, Reducible {
  /** The class that CPython gives such proxies. */
  static readonly pythonType: string = 'AutoProxy';
  /** Whether the server knows its owner by the connection: all calls of one proxy then go over one, in turn. */
  static readonly needsOwnLane: boolean = false;

  /** @internal Made by managers. */
  constructor(client: ManagerClient, record: ProxyRecord) {
    const own = { ...record, proxyType: (this.constructor as typeof BaseProxy).pythonType };
    const state: State = { client, record: own, lane: undefined, turn: Promise.resolve(), isClosed: false };
    states.set(this, state);
    Object.defineProperty(this, PROXY_KEY, { value: own, enumerable: true });
    forgotten.register(this, state, this);
  }

  /** Which object of which server it stands for. */
  get token(): Token {
    return stateOf(this).record.token;
  }

  /** Names of the methods that may be called; `null` where the server was not asked. */
  get exposed(): readonly string[] | null {
    return stateOf(this).record.exposed;
  }

  /**
   * Calls a method of the object and gives what it returns: a copy, or a proxy.
   *
   * @param options.timeoutMs - Longest wait, in milliseconds. The method itself goes on. Default `Infinity`.
   * @param options.signal - Aborting it gives up the wait and rejects with its reason.
   * @throws What the method threw; a {@link PythonError} from Python.
   * @throws {@link RemoteError} `ERR_FURCA_REMOTE`: no such method is exposed, or its result cannot be sent.
   * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: an argument cannot be sent; or the result holds more than data.
   * @throws {@link BrokenError} `ERR_FURCA_BROKEN`: the server is gone.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`: proxy or manager was closed.
   * @throws {@link TimeoutError} `ERR_FURCA_TIMEOUT`.
   */
  async call(method: string, args: readonly unknown[] = [], options: CallOptions = {}): Promise<unknown> {
    const state = stateOf(this);
    if (state.isClosed) throw proxyClosed(`Calling ${method}`);
    const { keywords = {}, ...wait } = options;
    const request = { ident: state.record.token.ident, method, args, keywords };
    if (!(this.constructor as typeof BaseProxy).needsOwnLane) return await state.client.call(request, wait);
    return await inTurn(state, async () => {
      state.lane ??= state.client.ownLane();
      try {
        return await state.client.call(request, wait, await state.lane);
      } catch (error) {
        if (!(await isUsable(state.lane))) state.lane = undefined;
        throw error;
      }
    });
  }

  /** A copy of the object, where it can be sent. Errors as {@link call}. */
  getValue(): Promise<unknown> {
    return this.call('#GETVALUE');
  }

  /** The object as text: Python's `repr`. Errors as {@link call}. */
  async repr(): Promise<string> {
    return String(await this.call('__repr__'));
  }

  /** Lets go of the object; resolves once the server knows. May be called twice. */
  async close(): Promise<void> {
    forgotten.unregister(this);
    await letGo(stateOf(this));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal How it travels to Python. */
  'furca:reduce'(): Reduction {
    return proxyReduction(stateOf(this).record);
  }
}

function stateOf(proxy: object): State {
  return states.get(proxy) as State;
}

async function letGo(state: State): Promise<void> {
  if (state.isClosed) return;
  state.isClosed = true;
  const lane = await state.lane?.catch(() => undefined);
  if (lane !== undefined) state.client.dropLane(lane);
  await state.client.release(state.record.token.ident);
}

function inTurn<T>(state: State, act: () => Promise<T>): Promise<T> {
  const turn = state.turn.then(act, act);
  state.turn = turn.catch(() => {});
  return turn;
}

async function isUsable(lane: Promise<Lane>): Promise<boolean> {
  try {
    return (await lane).isUsable;
  } catch {
    return false;
  }
}
