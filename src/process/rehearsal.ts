import { functionFromText } from '../wire/functions.js';
import { loadTarget } from './child.js';
import { packRequest, type RequestBody, unpackBody, unpackHead } from './start-request.js';
import { environmentChanges, takeSurroundings } from './surroundings.js';

/** Often enough for V8 to have compiled everything and to know the shapes of what goes through. */
const ROUNDS = 3;

/**
 * Goes through what a child does first, in the zygote: code that was never run would be compiled in every child anew, each
 * time on freshly copied pages.
 */
export async function rehearse(rounds: number = ROUNDS): Promise<void> {
  const body: Omit<RequestBody, 'call' | 'inherited'> = {
    name: 'Rehearsal',
    daemon: false,
    startMethod: 'forkserver',
    parentPid: process.pid,
    parentName: 'MainProcess',
    argv: process.argv,
    cwd: process.cwd(),
    env: environmentChanges(process.env, process.env),
    isEnvWhole: false,
    // These change nothing, but go all the way.
    stdio: ['ignore', 'inherit', { fd: 2, ofPid: process.pid }],
    ownStreams: [false, false, false],
  };
  const call = {
    target: functionFromText('() => 0'),
    args: [1, 'text', { a: 1 }, [1, 2]],
    class: null,
    this: {},
  };
  for (let round = 0; round < rounds; round++) {
    const packed = packRequest({ preload: null }, body, call);
    unpackHead(packed.head);
    const unpacked = unpackBody(packed.body);
    takeSurroundings(unpacked);
    const run = await loadTarget(unpacked);
    run();
  }
}
