import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import {
  type ShareableItem,
  ShareableList,
  type ShareableListLayout,
  SharedMemory,
} from '../../src/index.js';
import { inChild } from '../harness/children.js';
import { runProgram } from '../harness/programs.js';
import { NEEDS_PYTHON, runPython, startPython } from '../harness/python.js';
import { SEED, seeded } from '../harness/random.js';
import { watchTests } from '../harness/watchdog.js';

// Behaviours of CPython's test suite, by their case ids: group SH, what is about lists; and W-25, what they are weak at.

watchTests();
console.log(`FURCA_SEED=${SEED} repeats this run`);

const INVALID_ARGUMENT = { code: 'ERR_FURCA_INVALID_ARGUMENT' };
const LIMIT = { code: 'ERR_FURCA_LIMIT' };
const NAME_UNKNOWN = { code: 'ERR_FURCA_NAME_UNKNOWN' };
const LAYOUTS: readonly ShareableListLayout[] = ['furca', 'python'];
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const ITEMS: readonly ShareableItem[] = ['howdy', bytes('HoWdY'), -273.154, 100, null, true, 42];

/** A name that no program has left in /dev/shm, be it one that had the pid of this one. */
function newName(): string {
  return `furca-list-${randomUUID()}`;
}

for (const layout of LAYOUTS) {
  test(`SH-10: a list of layout ${layout} has length, format, indices from both ends, and is iterated`, () => {
    using list = new ShareableList(ITEMS, { layout });
    assert.equal(list.length, 7);
    assert.equal(list.format, '8s8sdqxxxxxx?xxxxxxxx?q');
    assert.deepEqual([...list], ITEMS);
    assert.deepEqual([list.get(0), list.get(-1), list.get(-7)], ['howdy', 42, 'howdy']);
    const { length, name, sizeBytes } = list.stats();
    assert.deepEqual([length, name, list.stats().layout], [7, null, layout]);
    assert.ok(sizeBytes >= 7 * 8);
  });

  test(`SH-11: an item of a list of layout ${layout} becomes another kind, and never runs over into its neighbour`, () => {
    using list = new ShareableList(ITEMS, { layout });
    list.set(3, 42);
    assert.equal(list.get(3), 42);
    list.set(4, 'some');
    assert.equal(list.format, '8s8sdq8sxxxxxxx?q');
    assert.equal(list.get(4), 'some');
    assert.throws(() => list.set(4, 'far too many'), LIMIT);
    assert.equal(list.get(4), 'some');
    list.set(0, 'encodéd');
    assert.equal(list.get(0), 'encodéd');
    assert.throws(() => list.set(0, 'encodédé'), LIMIT);
    assert.deepEqual(list.get(1), bytes('HoWdY'));
    assert.throws(() => list.set(1, bytes('123456789')), LIMIT);
    list.set(1, -7n);
    list.set(2, false);
    list.set(2, null);
    list.set(0, 'a');
    assert.deepEqual([...list], ['a', layout === 'furca' ? -7n : -7, null, 42, 'some', true, 42]);
  });

  test(`SH-12: lists of layout ${layout} count, find, copy, and know when they are empty`, async () => {
    const name = newName();
    using list = new ShareableList([1, 2, 2n, 'a', bytes('a'), null], { name, layout });
    assert.deepEqual([list.count(2), list.count('a'), list.count(bytes('a')), list.count(9)], [2, 1, 1, 0]);
    assert.deepEqual([list.index(2n), list.index(null), list.index(bytes('a'))], [1, 5, 4]);
    assert.throws(() => list.index(9), INVALID_ARGUMENT);
    using copy = new ShareableList(list, { name: newName(), layout });
    using second = new ShareableList(null, { name, layout });
    second.set(0, 11);
    assert.deepEqual([list.get(0), copy.get(0)], [11, 1]);
    await inChild((list: ShareableList) => list.set(-1, 'child'), [list]);
    assert.equal(second.get(5), 'child');
    using empty = new ShareableList([], { layout });
    assert.deepEqual([empty.length, empty.format, [...empty]], [0, '', []]);
    for (const each of [list, copy]) each.unlink();
    assert.throws(() => new ShareableList(null, { name, layout }), NAME_UNKNOWN);
  });

  test(`SH-14, W-25: a list of layout ${layout} gives back any text and bytes, or refuses them, and no other index`, () => {
    const random = seeded(SEED);
    const below = (limit: number): number => Math.floor(random() * limit);
    const anyText = (): string => {
      const ranges = [0x20, 0x80, 0x800, 0xd800, 0x110000];
      const characters = Array.from({ length: below(40) }, () => {
        const code = random() < 0.1 ? 0 : below(ranges[below(ranges.length)] as number);
        return code >= 0xd800 && code < 0xe000 ? '日' : String.fromCodePoint(code);
      });
      return characters.join('');
    };
    for (let round = 0; round < 300; round++) {
      const items = Array.from({ length: 1 + below(6) }, (): ShareableItem => {
        if (random() < 0.3) return Uint8Array.from({ length: below(40) }, () => below(4));
        return random() < 0.1 ? `\ufeff${anyText()}` : anyText();
      });
      const isLost = items.some((item) =>
        typeof item === 'string' ? item.endsWith('\0') : (item as Uint8Array).at(-1) === 0,
      );
      if (layout === 'python' && isLost) {
        assert.throws(() => new ShareableList(items, { layout }), INVALID_ARGUMENT);
        continue;
      }
      using list = new ShareableList(items, { layout });
      assert.deepEqual([...list], items, `FURCA_SEED=${SEED}`);
      for (const index of [items.length, -items.length - 1, 0.5, Number.NaN]) {
        assert.throws(() => list.get(index), INVALID_ARGUMENT);
        assert.throws(() => list.set(index, 1), INVALID_ARGUMENT);
      }
    }
  });

  test(`What a list of layout ${layout} cannot hold is refused, and changes nothing`, () => {
    for (const wrong of [undefined, {}, [1], () => {}, Symbol('s'), 2n ** 63n, '\ud800', new Date()]) {
      assert.throws(() => new ShareableList([1, wrong as never], { layout }), INVALID_ARGUMENT);
    }
    using list = new ShareableList([1, 'x'], { layout });
    assert.throws(() => list.set(0, undefined as never), INVALID_ARGUMENT);
    assert.throws(() => list.set(1, '\udfff'), INVALID_ARGUMENT);
    assert.deepEqual([...list], [1, 'x']);
    assert.throws(() => new ShareableList(null, { layout }), INVALID_ARGUMENT);
    assert.throws(() => new ShareableList(7 as never, { layout }), INVALID_ARGUMENT);
    const numbers = [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1e300, -(2n ** 63n)];
    using exact = new ShareableList(numbers, { layout });
    assert.deepEqual([...exact], numbers);
    list.close();
    list.close();
    assert.throws(() => list.get(0), { code: 'ERR_FURCA_CLOSED' });
    assert.throws(() => list.length, { code: 'ERR_FURCA_CLOSED' });
  });
}

test('Memory that holds no list, or one of the other layout, is not taken for one', () => {
  assert.throws(() => new ShareableList([], { layout: 'c' as never }), INVALID_ARGUMENT);
  for (const content of [[], [0xff, 0xff], [3], [0, 0, 0, 0, 0, 0, 0, 0x40]]) {
    const name = newName();
    using posix = new SharedMemory({ name, sizeBytes: 64, namespace: 'posix' });
    new Uint8Array(posix.buffer).set(content);
    if (content.length > 0) {
      assert.throws(() => new ShareableList(null, { name, layout: 'python' }), INVALID_ARGUMENT);
    }
    using own = new SharedMemory({ name, sizeBytes: 64 });
    new Uint8Array(own.buffer).set(content);
    assert.throws(() => new ShareableList(null, { name }), INVALID_ARGUMENT);
    posix.unlink();
  }
});

test('SH-02, SH-15: memory in /dev/shm is found by its name, until it is unlinked', () => {
  const name = newName();
  const options = { name, namespace: 'posix' } as const;
  assert.throws(() => new SharedMemory(options), NAME_UNKNOWN);
  for (const wrong of ['', '/', 'a/b', '..', 'a\0b', 'x'.repeat(256)]) {
    assert.throws(() => new SharedMemory({ ...options, name: wrong, sizeBytes: 8 }), INVALID_ARGUMENT);
  }
  assert.throws(() => new SharedMemory({ sizeBytes: 8, namespace: 'posix' }), INVALID_ARGUMENT);
  assert.throws(() => new SharedMemory({ ...options, namespace: 'dev' as never }), INVALID_ARGUMENT);
  assert.throws(() => new SharedMemory({ ...options, sizeBytes: 2 ** 50 }), LIMIT);
  const memory = new SharedMemory({ ...options, sizeBytes: 10 });
  assert.throws(() => new SharedMemory({ ...options, sizeBytes: 10 }), { code: 'ERR_FURCA_NAME_TAKEN' });
  const same = new SharedMemory({ ...options, name: `/${name}` });
  new Uint8Array(memory.buffer)[9] = 7;
  assert.equal(new Uint8Array(same.buffer)[9], 7);
  assert.deepEqual(memory.stats(), { name, namespace: 'posix', sizeBytes: 10 });
  memory.close();
  assert.ok(existsSync(`/dev/shm/${name}`));
  same.unlink();
  same.unlink();
  assert.ok(!existsSync(`/dev/shm/${name}`));
  assert.equal(new Uint8Array(same.buffer)[9], 7);
  same.close();
});

test('W-13: what a program made in /dev/shm goes with its orderly end, and nothing goes with who attached', async () => {
  const name = newName();
  using memory = new SharedMemory({ name, sizeBytes: 8, namespace: 'posix' });
  const { code } = await runProgram(`
    import { SharedMemory } from 'furca';
    new SharedMemory({ name: '${name}', namespace: 'posix' });
    new SharedMemory({ name: '${name}-own', sizeBytes: 8, namespace: 'posix' });
  `);
  assert.equal(code, 0);
  assert.deepEqual([existsSync(`/dev/shm/${name}`), existsSync(`/dev/shm/${name}-own`)], [true, false]);
  memory.unlink();
});

/** Python without the tracker that unlinks what it merely attached to (W-13): 3.13 has `track=False` for this. */
const UNTRACKED = `
import sys
from multiprocessing import resource_tracker, shared_memory
def untracked(sl):
    resource_tracker.unregister(sl.shm._name, 'shared_memory')
    return sl
`;

test('A list that furca made is read and written by Python’s ShareableList', NEEDS_PYTHON, () => {
  const name = newName();
  const items = [...ITEMS, 'é'.repeat(15), '日本語', bytes('\x00\xff'), 2n ** 62n, 0.5, false, ''];
  using list = new ShareableList(items, { name, layout: 'python' });
  const printed = runPython(
    `${UNTRACKED}
sl = untracked(shared_memory.ShareableList(name=sys.argv[1]))
assert sl.format == sys.argv[2], sl.format
sys.stdout.write(ascii(list(sl)))
sl[0] = 'été'; sl[3] = True; sl[4] = 8 * 'x'; sl[5] = None; sl[2] = 7; sl[6] = 2.25; sl[7] = b'raw'
sl.shm.close()
`,
    undefined,
    name,
    list.format,
  ).toString();
  assert.equal(
    printed,
    `['howdy', b'HoWdY', -273.154, 100, None, True, 42, '${'\\xe9'.repeat(15)}', '\\u65e5\\u672c\\u8a9e', b'\\x00\\xff', ${2n ** 62n}, 0.5, False, '']`,
  );
  const expected = ['été', bytes('HoWdY'), 7, true, 'xxxxxxxx', null, 2.25, bytes('raw')];
  assert.deepEqual([...list], [...expected, ...items.slice(8)]);
  list.unlink();
});

test('A list that Python made is read and written by furca', NEEDS_PYTHON, async () => {
  const peer = startPython(`
from multiprocessing import shared_memory
sl = shared_memory.ShareableList(['howdy', b'HoWdY', -273.154, 100, None, True, 2**62, -2**63, '', 'x' * 20])
print(sl.shm.name)
input()
print(ascii(list(sl)), sl.format)
sl.shm.close()
sl.shm.unlink()
`);
  const list = new ShareableList(null, { name: await peer.line(), layout: 'python' });
  const original = ['howdy', bytes('HoWdY'), -273.154, 100, null, true, 2n ** 62n, -(2n ** 63n), ''];
  assert.deepEqual([...list], [...original, 'x'.repeat(20)]);
  list.set(0, 'été');
  list.set(1, 12);
  list.set(2, null);
  list.set(3, -0.5);
  list.set(4, 'now text');
  list.set(5, false);
  list.set(6, true);
  list.set(9, bytes('\x01'.repeat(24)));
  peer.process.stdin?.write('\n');
  assert.equal(
    await peer.line(),
    `['\\xe9t\\xe9', 12, None, -0.5, 'now text', False, True, ${-(2n ** 63n)}, '', b'${'\\x01'.repeat(24)}'] 8sqxxxxxx?xd8sxxxxxxx?xxxxxxx?q8s24s`,
  );
  assert.deepEqual(await peer.result, { code: 0, stderr: '' });
  assert.equal(list.get(1), 12);
  list.close();
});
