/** A step that is no property, such as `captured variable db`; put into words only when something is refused. */
export interface NamedStep {
  words(): string;
}

/** Names a step; the words are made when they are needed. */
export function step(words: () => string): NamedStep {
  return { words };
}

/** A key of an object, an index of an array, or `-1 - n` for entry n of a Map or Set (whose keys are values). */
export type TrailStep = string | number | NamedStep;

const NAME = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u;

/**
 * Writes the way to a part of a value as one would in code: `args[0].db.socket`; from the first function on with arrows:
 * `task → function f (src/a.ts:12:5) → captured variable db → .socket`.
 */
export function formatTrail(root: string, trail: readonly TrailStep[], depth: number): string {
  let path = root;
  let arrow = '';
  for (let level = 1; level <= depth; level += 1) {
    const step = trail[level];
    if (typeof step === 'object') {
      arrow = ' → ';
      path += path === '' ? step.words() : arrow + step.words();
    } else if (typeof step === 'string') {
      path += NAME.test(step)
        ? `${arrow}${path === '' ? '' : '.'}${step}`
        : `${arrow}[${JSON.stringify(step)}]`;
    } else if (step !== undefined) path += arrow + (step < 0 ? `.<entry ${-1 - step}>` : `[${step}]`);
  }
  return path;
}
