/** The program of a thread: a worker thread whose `workerData` says which member of the family it is, and what it is to do. */
import { parentPort, workerData } from 'node:worker_threads';
import { Arena } from '../arena/arena.js';
import { enterFamily } from '../arena/member.js';
import { placeRobustHead } from '../arena/robust-lock.js';
import { keepDescriptorNotes } from '../kernel/thread-descriptors.js';
import { reportFatal } from '../process/fatal.js';
import { assumeIdentity, ownIdentity } from '../process/identity.js';
import { joinChildren } from '../process/registry.js';
import '../process/process.js';
import '../channel/kinds.js';
import '../sync/kinds.js';
import {
  THREAD_IS_UP,
  type ThreadCall,
  type ThreadData,
  type ThreadPapers,
} from '../threading/start-papers.js';
import { decodeShared } from '../wire/codec.js';
import { decodeFromFamily } from '../wire/family-message.js';
import { forgetCarried } from '../wire/handles.js';

const { arenaFd, arenaAddress, owner, robustHead, descriptors, papers } = workerData as ThreadData;
keepDescriptorNotes(descriptors);
placeRobustHead(robustHead);
enterFamily(Arena.ofThread(arenaFd, arenaAddress), owner);
const { name, done, call } = decodeShared(papers) as ThreadPapers;
// What is native is loaded by now: from here on it can be terminated.
parentPort?.postMessage(THREAD_IS_UP);
assumeIdentity({ ...ownIdentity(), name });
process.on('exit', () => {
  if (!done.isClosed) done.set();
});
try {
  const { target, args } = (await decodeFromFamily(call)) as ThreadCall;
  forgetCarried(call);
  await (target as ((...args: readonly unknown[]) => unknown) | null)?.(...args);
  await joinChildren();
} catch (error) {
  reportFatal(error);
  process.exit(1);
}
process.exit(0);
