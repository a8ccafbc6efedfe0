import { Pool } from 'furca';
import { describe, expect, test } from 'vitest';
import { otherUnderRunners, runnerCases } from '../fixtures/runner-cases.ts';

describe('functions of a module that a test imports', () => {
  for (const [name, run] of Object.entries(runnerCases))
    test(name, { timeout: 60_000 }, async () => expect(await run()).toBe(!otherUnderRunners.includes(name)));
});

const factor = 3;

test('functions of the test itself', { timeout: 60_000 }, async () => {
  const pool = new Pool(1);
  try {
    expect(await pool.map((x: number) => x * factor, [1, 2])).toEqual([3, 6]);
    expect(await pool.apply(() => import.meta.url)).toMatch(/cases\.spec\.mts$/);
  } finally {
    await pool.close();
  }
});
