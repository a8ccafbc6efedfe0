import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FurcaError, SystemCallError, UsageError, WorkerLostError } from '../../src/base/errors.js';

test('FurcaError.is knows an error of furca by its brand, not by its class', () => {
  assert.equal(FurcaError.is(new UsageError('no')), true);
  assert.equal(FurcaError.is(new RangeError('x')), false);
  assert.equal(FurcaError.is(null), false);
});

test('an error carries its name on the prototype, its code and its facts', () => {
  const error = new SystemCallError('mmap', 12, 'ENOMEM', 'size 4096');
  assert.equal(error.name, 'SystemCallError');
  assert.equal(Object.hasOwn(error, 'name'), false);
  assert.equal(error.code, 'ERR_FURCA_SYSTEM_CALL');
  assert.equal(error.syscall, 'mmap');
  assert.equal(error.errnoCode, 'ENOMEM');
  assert.ok(error instanceof FurcaError);
});

test('WorkerLostError says who died of what', () => {
  const error = new WorkerLostError('worker lost', {
    threadId: 0,
    pid: 7,
    exitCode: -9,
    signal: 'SIGKILL',
    reason: 'signal',
    stderrTail: 'last words',
    index: 0,
    startMethod: 'forkserver',
    taskId: 3,
    attempts: 1,
  });
  assert.equal(error.code, 'ERR_FURCA_WORKER_LOST');
  assert.equal(error.exitCode, -9);
  assert.equal(error.signal, 'SIGKILL');
});
