/**
 * Node's own `child_process`, loaded when it is used: importing it takes a zygote some 4 ms, and most never start a
 * program.
 */
export function nodeChildProcess(): typeof import('node:child_process') {
  return process.getBuiltinModule('node:child_process');
}
