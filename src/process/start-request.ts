import type { Block } from '../arena/allocator.js';
import { decodeShared, encodeShared } from '../wire/codec.js';
import { decodeFromFamily, encodeForFamily } from '../wire/family-message.js';
import type { AnyFunction, FunctionReference } from '../wire/functions.js';
import { carriedBy, forgetCarried } from '../wire/handles.js';

/** The three ways to start a process. */
export type StartMethod = 'forkserver' | 'fork' | 'spawn';

/** One of a child's standard streams: the parent's own, nothing, or a descriptor that the parent has open. */
export type StreamSource = 'inherit' | 'ignore' | { readonly fd: number; readonly ofPid: number };

/** What a zygote reads of a request before it forks. */
export interface RequestHead {
  /** Function or class whose module is to be loaded before the fork, `null` for none. */
  readonly preload: FunctionReference | null;
}

/** What a child is told at its start, by any method. */
export interface RequestBody {
  readonly name: string;
  readonly daemon: boolean;
  readonly startMethod: StartMethod;
  readonly parentPid: number;
  readonly parentName: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Variables to set, and to delete where `null`, in the environment the child wakes up in. */
  readonly env: Readonly<Record<string, string | null>>;
  /** `env` is all there shall be; what else the child woke up with is deleted. */
  readonly isEnvWhole: boolean;
  readonly stdio: readonly [StreamSource, StreamSource, StreamSource];
  /** For each of these: it is not that of the first process. */
  readonly ownStreams: readonly boolean[];
  /** A packed `Call`. */
  readonly call: Uint8Array;
  /** Number of the function that a forked child finds in the heap it has from its parent; 0 for none. */
  readonly inherited: number;
}

/** What a child is to run, as its caller gave it. The names stand in paths of refusals. */
export interface Call {
  readonly target: AnyFunction | null;
  readonly args: readonly unknown[];
  /** A subclass that overrides `run`. */
  readonly class: AnyFunction | null;
  /** Own properties of an instance of it. */
  readonly this: object;
}

/** A request, packed in two parts so that a zygote need not unpack the arguments. */
export interface PackedRequest {
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  readonly isDaemon: boolean;
  /** Lets go of what only the parent keeps for the start; called once that is through. */
  readonly forget: () => void;
  /** Blocks of the handles among what the child is told. */
  readonly carried: readonly Block[];
}

/**
 * Packs a request.
 *
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: an argument cannot travel; `path` names it.
 */
export function packRequest(
  head: RequestHead,
  body: Omit<RequestBody, 'call' | 'inherited'>,
  given: Call,
): PackedRequest {
  const inherited = body.startMethod === 'fork' ? inherit(given) : 0;
  try {
    const call = encodeForFamily(inherited === 0 ? given : { ...given, target: null, class: null }, '');
    const packed = encodeShared({ ...body, call, inherited });
    return {
      head: encodeShared(head).slice(),
      body: packed.slice(),
      isDaemon: body.daemon,
      carried: carriedBy(packed),
      forget: () => void inheritance.delete(inherited),
    };
  } catch (error) {
    inheritance.delete(inherited);
    throw error;
  }
}

/** Functions that children of `fork` are to run: they need not travel, the child has them. */
const inheritance = new Map<number, Pick<Call, 'target' | 'class'>>();
let lastInherited = 0;

function inherit({ target, class: type }: Call): number {
  if (target === null && type === null) return 0;
  lastInherited += 1;
  inheritance.set(lastInherited, { target, class: type });
  return lastInherited;
}

/** Unpacks what a child is to run; loads the modules that this needs. */
export async function unpackCall({ call, inherited }: RequestBody): Promise<Call> {
  const found = inheritance.get(inherited);
  // The others are for its brothers and sisters.
  inheritance.clear();
  const given = (await decodeFromFamily(call)) as Call;
  forgetCarried(call);
  return { ...given, ...found };
}

export function unpackHead(bytes: Uint8Array): RequestHead {
  return decodeShared(bytes) as RequestHead;
}

export function unpackBody(bytes: Uint8Array): RequestBody {
  return decodeShared(bytes) as RequestBody;
}
