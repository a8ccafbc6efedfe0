import { badOption } from '../failures.js';

/** Where the inputs of a task come from. */
export type Inputs<Item> = Iterable<Item> | AsyncIterable<Item>;

/** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`. */
export function checkedCount(name: string, count: number | undefined): number | undefined {
  if (count === undefined || (Number.isInteger(count) && count >= 1)) return count;
  throw badOption(name, 'a whole number, at least 1');
}

/** @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`. */
export function checkedInputs<Item>(items: Inputs<Item>): Inputs<Item> {
  const isIterable =
    Object(items) !== items
      ? typeof items === 'string'
      : Symbol.iterator in items || Symbol.asyncIterator in items;
  if (isIterable) return items;
  throw badOption('the items', 'an iterable');
}

/** All of the inputs. */
export async function collect<Item>(items: Inputs<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item as Item);
  return all;
}
