import { createRequire } from 'node:module';

let loaded: typeof import('acorn') | undefined;

/**
 * The JavaScript parser, loaded on first use: only a process that sends functions needs it, and a zygote that loaded it would start
 * later for nothing.
 */
export function parser(): typeof import('acorn') {
  loaded ??= createRequire(import.meta.url)('acorn') as typeof import('acorn');
  return loaded;
}
