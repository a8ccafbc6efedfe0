/**
 * Holds when it compiles: what the types of shared data promise. Nothing here is ever run.
 */
import { type ShareableItem, ShareableList, SharedArray, SharedMemory, Value } from '../../src/index.js';
import { type Equal, must } from './exactly.js';

export function elementsAreOfTheirType(): void {
  const char = new Value('char', 'x');
  must<Equal<typeof char.value, string>>();
  must<Equal<typeof char, Value<'char'>>>();
  must<Equal<ReturnType<typeof char.exchange>, string>>();
  const big = new SharedArray('bigint64', [1n]);
  must<Equal<typeof big.view, BigInt64Array>>();
  must<Equal<ReturnType<typeof big.add>, bigint>>();
  new SharedArray('char', 'hello');
  // @ts-expect-error - characters have no sum
  char.add('y');
  // @ts-expect-error - nor with a number
  char.add(1);
  // @ts-expect-error - an element is a number
  new Value('int32', 'x');
  // @ts-expect-error - there is no such type
  new Value('c');
}

export function listsHoldWhatTheyCan(): void {
  const list = new ShareableList(['a', 1, 2n, null, true, new Uint8Array(1)]);
  must<Equal<ReturnType<typeof list.get>, ShareableItem>>();
  new ShareableList(list, { name: 'copy', layout: 'python' });
  new ShareableList(null, { name: 'copy' });
  // @ts-expect-error - undefined is no item
  new ShareableList([undefined]);
  // @ts-expect-error - nor is an object
  list.set(0, {});
  // @ts-expect-error - there is no such layout
  new ShareableList([], { layout: 'c' });
  // @ts-expect-error - nor such a namespace
  new SharedMemory({ name: 'a', namespace: 'dev' });
}
