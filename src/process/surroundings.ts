import { SystemCallError } from '../base/errors.js';
import { closeDescriptor, duplicateOnto, makeBlocking, openPath } from '../kernel/descriptor.js';
import { duplicateFrom } from '../kernel/reaping.js';
import type { RequestBody, StreamSource } from './start-request.js';

const O_RDONLY = 0;
const O_WRONLY = 1;
const O_APPEND = 0o2000;
const O_NONBLOCK = 0o4000;

/** Gives a child what its parent asked for: streams, working directory, environment, arguments. */
export function takeSurroundings(body: RequestBody): void {
  for (const [fd, source] of body.stdio.entries()) connectStream(fd, source);
  if (body.cwd !== process.cwd()) process.chdir(body.cwd);
  if (body.isEnvWhole) {
    for (const name of Object.keys(process.env)) if (!(name in body.env)) delete process.env[name];
  }
  for (const [name, value] of Object.entries(body.env)) {
    if (value === null) delete process.env[name];
    else process.env[name] = value;
  }
  process.argv = [...body.argv];
}

function connectStream(fd: number, source: StreamSource): void {
  if (source === 'inherit') return;
  const opened = source === 'ignore' ? openNothing(fd) : takeStream(fd, source);
  duplicateOnto(opened, fd);
  closeDescriptor(opened);
}

/** Gets a stream that another process has open: itself where that is allowed, else, by way of proc(5), its file opened anew. */
function takeStream(fd: number, { ofPid, fd: theirs }: Exclude<StreamSource, string>): number {
  const duplicate = duplicateFrom(ofPid, theirs);
  if (duplicate !== -1) return duplicate;
  // Appending keeps writers from overwriting each other. A pipe that nobody reads would block for ever.
  const flags = (fd === 0 ? O_RDONLY : O_WRONLY | O_APPEND) | O_NONBLOCK;
  try {
    const opened = openPath(`/proc/${ofPid}/fd/${theirs}`, flags);
    makeBlocking(opened);
    return opened;
  } catch (error) {
    // Its parent was faster to end than this child to come up: nobody is left to read or write at the other end.
    if (error instanceof SystemCallError && error.errnoCode === 'ENOENT') return openNothing(fd);
    throw error;
  }
}

function openNothing(fd: number): number {
  return openPath('/dev/null', fd === 0 ? O_RDONLY : O_WRONLY);
}

/** What must change for an environment `from` to become `to`. */
export function environmentChanges(
  from: Readonly<Record<string, string | undefined>>,
  to: Readonly<Record<string, string | undefined>>,
): Record<string, string | null> {
  const changes: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(to)) {
    if (value !== undefined && value !== from[name]) changes[name] = value;
  }
  for (const name of Object.keys(from)) if (to[name] === undefined) changes[name] = null;
  return changes;
}
