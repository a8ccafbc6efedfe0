import type { Block } from '../arena/allocator.js';
import { decode, encode } from '../wire/codec.js';
import type { FunctionDescriptor, FunctionReference } from '../wire/functions.js';
import { carriedBy, copyMessage, forgetCarried } from '../wire/handles.js';

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
  readonly target: FunctionDescriptor | null;
  /** A subclass that overrides `run`, and the own properties of the instance. */
  readonly subclass: { readonly type: FunctionDescriptor; readonly properties: object } | null;
  readonly args: readonly unknown[];
}

/** A request, packed in two parts so that a zygote need not unpack the arguments. */
export interface PackedRequest {
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  readonly isDaemon: boolean;
  /** Blocks of the handles among what the child is told. */
  readonly carried: readonly Block[];
}

/**
 * Packs a request.
 *
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: an argument cannot travel; `path` names it.
 */
export function packRequest(head: RequestHead, body: RequestBody): PackedRequest {
  const { args, ...rest } = body;
  // Packed apart, so that a refusal names the path as the caller wrote it.
  const packedArgs = copyMessage(encode(args, 'args'));
  const packed = encode({ ...rest, args: packedArgs });
  return {
    head: encode(head).slice(),
    body: packed.slice(),
    isDaemon: body.daemon,
    carried: carriedBy(packed),
  };
}

export function unpackHead(bytes: Uint8Array): RequestHead {
  return decode(bytes) as RequestHead;
}

export function unpackBody(bytes: Uint8Array): RequestBody {
  const body = decode(bytes) as Omit<RequestBody, 'args'> & { args: Uint8Array };
  const args = decode(body.args) as unknown[];
  forgetCarried(body.args);
  return { ...body, args };
}
