// By path, as the modules below: the package's own files hold a copy of their own.

import { type Member, ownMembership } from '../../../src/arena/member.js';
import { spinUntil } from '../../../src/arena/spinning.js';
import {
  createMessagePipe,
  joinMessagePipe,
  MessageReader,
  MessageWriter,
} from '../../../src/channel/message-pipe.js';
import { Process } from '../../../src/index.js';

const SPIN_MS = 0.1;
const LOOK_AGAIN_MS = 1000;
const BALL = new Uint8Array(64);

/** Where the child finds its pipes, and how often it is to answer. */
export interface Court {
  readonly thereAt: number;
  readonly backAt: number;
  readonly parent: number;
  readonly trips: number;
}

/** The child: answers every message, blocking in between. */
export function returnBalls({ thereAt, backAt, parent, trips }: Court): void {
  const member = ownMembership();
  joinMessagePipe(member, thereAt, 'reader');
  joinMessagePipe(member, backAt, 'writer');
  const reader = new MessageReader(member, thereAt);
  const writer = new MessageWriter(member, parent, backAt);
  for (let trip = 0; trip < trips; trip++) {
    receive(member, reader);
    writer.trySend(BALL);
    writer.flush();
  }
}

function receive(member: Member, reader: MessageReader): void {
  const isReady = (): boolean => !reader.isEmpty;
  while (
    !spinUntil(member.arena, member.owner, isReady, SPIN_MS) &&
    !member.parking.blockUntil(isReady, LOOK_AGAIN_MS)
  );
  reader.tryReceive((message) => message.byteLength);
}

/**
 * Makes round trips of 64 bytes between this process and a furca child, both blocking, over the pipes that pools use: the
 * one that waits looks for a moment, then sleeps in a futex. Starts the child, ends it.
 *
 * @param warmUp - Trips made first and not reported.
 * @param measured - Trips reported.
 * @returns microseconds of each measured trip, in order.
 */
export async function roundTrips(warmUp: number, measured: number): Promise<number[]> {
  const child = new Process({
    target: returnBalls,
    args: [openCourt(warmUp + measured)],
  });
  await child.start();
  const member = ownMembership();
  const { thereAt, backAt } = court as Court;
  const writer = new MessageWriter(member, 0, thereAt);
  const reader = new MessageReader(member, backAt);
  const trips: number[] = [];
  for (let trip = 0; trip < warmUp + measured; trip++) {
    const started = performance.now();
    writer.trySend(BALL);
    writer.flush();
    receive(member, reader);
    if (trip >= warmUp) trips.push((performance.now() - started) * 1000);
  }
  await child.join();
  return trips;
}

let court: Court | undefined;

function openCourt(trips: number): Court {
  // Naming a process founds the family, whose memory the pipes lie in.
  new Process();
  const member = ownMembership();
  court = {
    thereAt: createMessagePipe(member, 'writer'),
    backAt: createMessagePipe(member, 'reader'),
    parent: member.owner,
    trips,
  };
  return court;
}
