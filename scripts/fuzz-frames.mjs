// Sends mutated frames into a listener: `node --expose-gc scripts/fuzz-frames.mjs [frames]`, by default 100,000. `FURCA_SEED` repeats a run.
import { fuzzFrames } from '../dist/test/fixtures/connection-fuzz.js';

const seed = Number(process.env.FURCA_SEED ?? Math.floor(Math.random() * 2 ** 31));
const begun = performance.now();
console.log(`seed ${seed}`);
console.log(
  await fuzzFrames(Number(process.argv[2] ?? 100_000), seed),
  `${Math.round(performance.now() - begun)} ms`,
);
