import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { endActors, pickSeed, randomFrom } from '../fixtures/arena-stage.js';
import { stormLarge, stormReader, stormWriter } from '../fixtures/arena-storms.js';

const seed = pickSeed();
console.log(`FURCA_SEED=${seed} repeats this run`);
after(endActors);

test('A writer killed in the middle of writing leaves whole messages in order, and no memory of those it did not send', async () => {
  await stormWriter(10, seed);
});

test('A reader killed in the middle of reading leaves every later message whole and in order to its successor', async () => {
  await stormReader(10, seed);
});

test('Large messages on their way to a reader that is killed are freed, those sent after its death too', async () => {
  await stormLarge(10, seed);
});

test('The same seed gives the same storm', () => {
  const [one, two] = [randomFrom(seed), randomFrom(seed)];
  for (let i = 0; i < 100; i++) assert.equal(one(1000), two(1000));
});
