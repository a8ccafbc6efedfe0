import { nextId } from './identities.js';

/** Any function at all. */
export type AnyFunction = (...args: never[]) => unknown;

/** How a variable that a module imports, or `require`s, is made again on the other side. */
export interface ImportRecord {
  /** The variable. */
  readonly name: string;
  /** As it stands in the module, or a `file:` URL. */
  readonly specifier: string;
  /** `*` for all of it. */
  readonly exportName: string;
  /**
   * `import`; `require`, alone or in the wrapper of a compiler (the next three); the function `require` itself, of the module that
   * the specifier names.
   */
  readonly via: 'import' | 'require' | 'importDefault' | 'importStar' | 'importStarNode' | 'createRequire';
}

/** A function or class that a module has; the other side imports it. */
export interface ReferenceUnit {
  readonly kind: 'reference';
  /** The same for the same function in every process. */
  readonly id: string;
  /** A `file:` or `node:` URL. */
  readonly url: string;
  /** May be `default`. */
  readonly exportName: string;
  /** The way from the export to the function, such as `prototype`, `save`; mostly empty. */
  readonly member: readonly string[];
  /** Of CommonJS: the way begins at `module.exports`, and the module is `require`d. */
  readonly isCommonJs: boolean;
}

/** The text of a function or class and what is needed to make it again, apart from the values it captures. */
export interface CodeUnit {
  readonly kind: 'code';
  /** Given by the process the code was written in, kept by all others. */
  readonly id: string;
  /** An expression that makes the function. */
  readonly source: string;
  /** Variables around it that are filled with captured values. */
  readonly names: readonly string[];
  readonly imports: readonly ImportRecord[];
  readonly strict: boolean;
  /** A class, whose making runs code and so needs values first. */
  readonly isClass: boolean;
  /** Where it was written, `null` when that is not known and does not matter. */
  readonly url: string | null;
  /** From 0. */
  readonly line: number;
  readonly column: number;
}

/** What messages refer to and receivers keep, so that code travels once. */
export type Unit = ReferenceUnit | CodeUnit;

/** Variable of a `CodeUnit` that stands for `import.meta`. */
export const META_NAME = 'furca$meta';
/** Variable of a class's `CodeUnit` that stands for what it extends. */
export const SUPER_NAME = 'furca$super';
/** Variables that stand for a reassigned variable of the module begin so; they hold an object whose `v` is the value. */
export const CELL_PREFIX = 'furca$cell_';

export function referenceUnit(
  url: string,
  exportName: string,
  member: readonly string[] = [],
): ReferenceUnit {
  const id = [url, exportName, ...member].join('\0');
  return { kind: 'reference', id, url, exportName, member, isCommonJs: false };
}

/** What `module.exports` of a CommonJS module has at the end of a way. */
export function commonJsUnit(url: string, way: readonly string[]): ReferenceUnit {
  return { ...referenceUnit(url, 'module.exports', way), isCommonJs: true };
}

/** The code of a function of furca's own, which uses nothing but its arguments and `names`. */
export function ownUnit(source: string, names: readonly string[] = []): CodeUnit {
  return {
    kind: 'code',
    id: nextId(),
    source,
    names,
    imports: [],
    strict: true,
    isClass: false,
    url: null,
    line: 0,
    column: 0,
  };
}
