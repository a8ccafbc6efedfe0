import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closureCases } from './pool-closures.js';
import { goneCases, runOnCluster } from './pool-cluster.js';
import { resultCases } from './pool-results.js';
import { sizeCases } from './pool-sizes.js';

runOnCluster([...closureCases, ...resultCases, ...sizeCases]);

test('every case that is none of the cluster’s is still there', () => {
  assert.deepEqual(goneCases(), []);
});
