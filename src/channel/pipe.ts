import { PIPE, PIPE_END } from '../arena/lanes/lane-layout.js';
import { initPipe } from '../arena/lanes/pipe-words.js';
import { KIND } from '../arena/layout.js';
import { openHandleOf, takeBlock } from '../arena/shared-object.js';
import { UsageError } from '../base/errors.js';
import { registerHandleKind } from '../wire/handles.js';
import { PipeCore } from './local-pipe.js';
import { PipeConnection, type PipeParts } from './pipe-connection.js';

/** Options of a pipe. */
export interface PipeOptions {
  /** Whether both ends can send and receive. `false`: the first only receives, the second only sends. Default `true`. */
  readonly duplex?: boolean;
}

/**
 * Makes a pipe between processes and answers its two ends; each can be given to any process.
 *
 * @param options.duplex - Whether both ends can send and receive. `false`: the first only receives, the second only sends. Default `true`.
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: no such options.
 * @throws {@link LimitError} `ERR_FURCA_LIMIT`: the shared memory is full.
 *
 * @example
 * const [here, there] = Pipe<string>();
 * await there.send('hello');
 * await here.recv(); // => 'hello'
 * there.close();
 * await here.poll(); // => true
 */
export function Pipe<In = unknown, Out = In>(
  options: PipeOptions = {},
): [PipeConnection<In, Out>, PipeConnection<Out, In>] {
  if (typeof options !== 'object' || options === null) {
    throw new UsageError(`Making a pipe failed: its options are ${String(options)}. Use { duplex: false }.`);
  }
  const { duplex = true } = options;
  const core = takeBlock(KIND.PIPE, PIPE.BYTES);
  const ends = [takeBlock(KIND.PIPE_END, PIPE_END.BYTES), takeBlock(KIND.PIPE_END, PIPE_END.BYTES)] as const;
  initPipe(core.arena, core.block, [ends[0].block, ends[1].block]);
  const first = new PipeCore(core.handle);
  return [
    new PipeConnection<In, Out>(ends[0].handle, first, { canSend: duplex, canReceive: true }),
    new PipeConnection<Out, In>(ends[1].handle, first.copy(), { canSend: true, canReceive: duplex }),
  ];
}

registerHandleKind<PipeConnection>(PipeConnection, {
  id: KIND.PIPE_END,
  handleOf: openHandleOf,
  partsOf: (end) => end.parts,
  revive: (handle, parts) => {
    const { core, canSend, canReceive } = parts as PipeParts;
    return new PipeConnection(handle, core, { canSend, canReceive });
  },
});
