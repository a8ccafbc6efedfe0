import { after, test } from 'node:test';
import { endActors, pickSeed } from '../fixtures/arena-stage.js';
import { stormBoundedQueue, stormJoinableQueue, stormQueue } from '../fixtures/queue-storms.js';

const seed = pickSeed();
console.log(`FURCA_SEED=${seed} repeats this run`);
after(endActors);

test('Producers and consumers of a queue are killed: every item whose put resolved is received once, or went to one that was killed', async () => {
  await stormQueue(12, seed);
});

test('Producers and consumers of a queue with a bound are killed: nobody waits for ever, nothing is lost or torn', async () => {
  await stormBoundedQueue(12, seed);
});

test('Consumers of a joinable queue are killed over their work: others get it, and join() resolves', async () => {
  await stormJoinableQueue(12, seed);
});
