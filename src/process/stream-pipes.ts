import { Socket } from 'node:net';
import { closeDescriptor, createPipe } from '../kernel/descriptor.js';
import type { StdioChoice } from './process-options.js';
import type { StreamSource } from './start-request.js';

/** Ends of pipes that are open here as bare descriptors. */
const bare = new Set<number>();
/** Those that are streams by now. */
const streams = new Set<Socket>();

function closeBare(fd: number): void {
  if (bare.delete(fd)) closeDescriptor(fd);
}

function openStream(fd: number, at: number): Socket {
  bare.delete(fd);
  const stream = new Socket({ fd, readable: at > 0, writable: at === 0 });
  streams.add(stream);
  stream.once('close', () => streams.delete(stream));
  return stream;
}

/** True of a stream to a child; a start by fork does not mind those, since the child lets go of them. */
export function isChildStream(handle: unknown): boolean {
  return streams.has(handle as Socket);
}

/**
 * Called in a forked child: it would read its siblings' output from its parent, and while it has an end open, be it of its own
 * input, no reader sees the end.
 */
export function forgetChildStreams(): void {
  for (const fd of bare) closeDescriptor(fd);
  bare.clear();
  for (const stream of streams) stream.destroy();
  streams.clear();
}

/** A child's streams, with the pipes that some of them ask for. */
export interface StreamPipes {
  readonly sources: readonly [StreamSource, StreamSource, StreamSource];
  closeTheirs(): void;
  closeAll(): void;
  openOurs(): (Socket | null)[];
}

/** Opens a pipe for each stream that asks for one. The child's ends stay open here until the child has taken them over. */
export function openPipes(choices: readonly StdioChoice[]): StreamPipes {
  const ours: (number | null)[] = [null, null, null];
  const theirs: number[] = [];
  const sources = choices.map((choice, fd): StreamSource => {
    if (typeof choice === 'number') return { fd: choice, ofPid: process.pid };
    if (choice !== 'pipe') return choice;
    const { readFd, writeFd } = createPipe(false);
    bare.add(readFd).add(writeFd);
    ours[fd] = fd === 0 ? writeFd : readFd;
    theirs.push(fd === 0 ? readFd : writeFd);
    return { fd: fd === 0 ? readFd : writeFd, ofPid: process.pid };
  });
  const closeTheirs = (): void => {
    for (const fd of theirs.splice(0)) closeBare(fd);
  };
  return {
    sources: sources as unknown as StreamPipes['sources'],
    closeTheirs,
    closeAll: () => {
      closeTheirs();
      for (const fd of ours) if (fd !== null) closeBare(fd);
    },
    openOurs: () => ours.map((fd, at) => (fd === null ? null : openStream(fd, at))),
  };
}
