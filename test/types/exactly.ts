/** True only when two types are one and the same: `any`, `readonly` and optional parts count. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

export type IsAny<T> = 0 extends 1 & T ? true : false;

/** Compiles only if its type argument is `true`. */
export function must<_Claim extends true>(): void {}
