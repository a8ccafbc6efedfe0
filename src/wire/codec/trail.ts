/** A key of an object, an index of an array, or `-1 - n` for entry n of a Map or Set (whose keys are values). */
export type TrailStep = string | number;

const NAME = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u;

/** Writes the way to a part of a value as one would in code: `args[0].db.conn`. */
export function formatTrail(root: string, trail: readonly TrailStep[], depth: number): string {
  let path = root;
  for (let level = 1; level <= depth; level += 1) {
    const step = trail[level];
    if (typeof step === 'string') path += NAME.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
    else if (step !== undefined) path += step < 0 ? `.<entry ${-1 - step}>` : `[${step}]`;
  }
  return path;
}
