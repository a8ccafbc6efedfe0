/** The seed of this run; `FURCA_SEED` repeats an earlier one. */
export const SEED: number = Number(process.env['FURCA_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Numbers from 0 to 1 that a seed determines (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A copy of `bytes` in which a few were changed, taken out or put in. */
export function mutated(bytes: Uint8Array, random: () => number): Uint8Array {
  const mutant = [...bytes];
  for (let left = 1 + Math.floor(random() * 4); left > 0; left--) {
    const at = Math.floor(random() * (mutant.length + 1));
    const byte = Math.floor(random() * 256);
    const choice = random();
    if (choice < 0.5 && at < mutant.length) mutant[at] = byte;
    else if (choice < 0.7) mutant.splice(at, 1 + Math.floor(random() * 3));
    else if (choice < 0.9) mutant.splice(at, 0, byte);
    else mutant.length = at;
  }
  return Uint8Array.from(mutant);
}
