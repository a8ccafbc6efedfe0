import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { endActors, pickSeed } from '../fixtures/arena-stage.js';
import {
  stormAllocator,
  stormInbox,
  stormLarge,
  stormLock,
  stormReader,
  stormWriter,
} from '../fixtures/arena-storms.js';

const seed = pickSeed();
console.log(`FURCA_SEED=${seed} repeats this run`);
after(endActors);

test('A robust lock whose owners are killed inside goes to the next one, who is told, and never to two', async () => {
  await stormLock(30, seed);
});

test('Members killed while they take, pass on and drop blocks leave no block and no page behind, and harm no other', async () => {
  await stormAllocator(12, seed);
});

test('A writer killed in the middle of writing leaves whole messages in order, and no memory of those it did not send', async () => {
  await stormWriter(10, seed);
});

test('A reader killed in the middle of reading leaves every later message whole and in order to its successor', async () => {
  await stormReader(10, seed);
});

test('Large messages on their way to a reader that is killed are freed, those sent after its death too', async () => {
  await stormLarge(10, seed);
});

test('Producers killed while they put into an inbox leave it whole: every block once, in order of its producer', async () => {
  await stormInbox(10, seed);
});

test('The same seed gives the same storm', async () => {
  const { randomFrom } = await import('../fixtures/arena-stage.js');
  const [one, two] = [randomFrom(seed), randomFrom(seed)];
  for (let i = 0; i < 100; i++) assert.equal(one(1000), two(1000));
});
