import { KIND } from '../arena/layout.js';
import type { Handle } from '../arena/local-handles.js';
import { openHandleOf, SharedObject, takeBlock } from '../arena/shared-object.js';
import { LimitError, UsageError } from '../base/errors.js';
import { registerHandleKind } from '../wire/handles.js';
import { isSameItem, type PackedItem, packItem, type ShareableItem } from './list-items.js';
import { furcaLayout, hasLength, type LaidOutList, type ListLayout } from './list-layout.js';
import { pythonLayout } from './python-list-layout.js';
import { SharedMemory } from './shared-memory.js';

/** How a list lies in memory: as furca does it, or as Python does, for programs in Python. */
export type ShareableListLayout = 'furca' | 'python';

/** Options of a {@link ShareableList}. */
export interface ShareableListOptions {
  /** Name by which other programs of this user find it. Default: none, it is found by being sent. */
  readonly name?: string;
  /** `'python'` is what Python's `ShareableList` reads and writes, under a name in `/dev/shm`. Default `'furca'`. */
  readonly layout?: ShareableListLayout;
}

/** What a list is, at the moment of the call. */
export interface ShareableListStats {
  readonly name: string | null;
  readonly layout: ShareableListLayout;
  readonly length: number;
  readonly sizeBytes: number;
}

const LAYOUTS: { readonly [Layout in ShareableListLayout]: ListLayout } = {
  furca: furcaLayout,
  python: pythonLayout,
};
const MAKING = 'Making a ShareableList';

/** What a list is made of when it arrives in another process. */
interface Parts {
  readonly memory: SharedMemory;
  readonly layout: ShareableListLayout;
}

/**
 * A list of mixed values that processes share: text, bytes, numbers, bigints, booleans and null. Its length never changes, and what replaces
 * an item must fit into the room that this had.
 *
 * Reading and writing are plain, not atomic: who writes an item that others read or write at the same time uses a lock. With layout `'python'`
 * and a name it is the list that Python's `multiprocessing.shared_memory.ShareableList(name=...)` finds, and the other way round: there
 * integers are numbers where they fit, else bigints.
 *
 * @example
 * const list = new ShareableList(['howdy', 100, null, true]);
 * list.set(2, 'some');
 * list.get(-2); // => 'some'
 * [...list].length; // => 4
 */
export class ShareableList extends SharedObject implements Iterable<ShareableItem> {
  /** The memory it lies in. */
  readonly memory: SharedMemory;
  /** How it lies there. */
  readonly layout: ShareableListLayout;
  #list: LaidOutList | undefined;
  #seen: ArrayBuffer | undefined;

  /**
   * @param items - What it holds; an item of text or bytes has room for up to 8 bytes more than it has, rounded down to a multiple of 8.
   * `null` finds the list called `options.name`.
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: something that a list of this layout cannot hold, a bad option, or, when looking
   * for one, memory that holds no such list. `ERR_FURCA_NAME_TAKEN`, `ERR_FURCA_NAME_UNKNOWN`: as of {@link SharedMemory}.
   * @throws {@link LimitError} `ERR_FURCA_LIMIT`: there is no room for it.
   */
  constructor(items: Iterable<ShareableItem> | null, options?: ShareableListOptions);
  /** @internal */
  constructor(parts: Parts, options: undefined, handle: Handle);
  constructor(
    given: Iterable<ShareableItem> | Parts | null,
    options: ShareableListOptions = {},
    handle?: Handle,
  ) {
    const { memory, layout } =
      handle === undefined ? made(given as Iterable<ShareableItem> | null, options) : (given as Parts);
    super(handle ?? takeBlock(KIND.LIST, 0).handle);
    this.memory = memory;
    this.layout = layout;
  }

  #open(doing: string): LaidOutList {
    this.open(doing);
    const { buffer } = this.memory;
    if (this.#list === undefined || this.#seen !== buffer) {
      this.#list = LAYOUTS[this.layout].open(new DataView(buffer));
      this.#seen = buffer;
    }
    return this.#list;
  }

  #at(list: LaidOutList, index: number, doing: string): number {
    const at = index < 0 ? index + list.length : index;
    if (Number.isInteger(at) && at >= 0 && at < list.length) return at;
    throw new UsageError(
      `${doing} failed: index ${index} is out of range, the list has ${list.length} items.`,
    );
  }

  /** How many items there are; never changes. */
  get length(): number {
    return this.#open('Asking the list').length;
  }

  /** Python's `struct` format of all items, one after the other. */
  get format(): string {
    const list = this.#open('Asking the list');
    return Array.from({ length: list.length }, (_, index) => list.formatAt(index)).join('');
  }

  /**
   * Item `index`; negative ones count from the end. Bytes are a copy.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: the index is out of range.
   * @throws {@link BrokenError} `ERR_FURCA_BROKEN`: text of which half was written.
   * @throws {@link ClosedError} `ERR_FURCA_CLOSED`.
   */
  get(index: number): ShareableItem {
    const list = this.#open('Reading an item');
    return list.read(this.#at(list, index, 'Reading an item'));
  }

  /** Sets item `index`, of whatever kind; errors as {@link ShareableList.get}, and `ERR_FURCA_LIMIT` for what has no room there. */
  set(index: number, value: ShareableItem): void {
    const doing = 'Setting an item';
    const list = this.#open(doing);
    const at = this.#at(list, index, doing);
    const item = packed(value, this.layout, doing);
    const roomBytes = list.roomAt(at);
    if (hasLength(item) && item.bytes.length > roomBytes) {
      throw new LimitError(
        `${doing} failed: it has ${item.bytes.length} bytes, and item ${index} has room for ${roomBytes}.`,
      );
    }
    list.write(at, item);
  }

  /** How many items are `value`; numbers and bigints are compared by what they count. Errors as {@link ShareableList.get}. */
  count(value: ShareableItem): number {
    let count = 0;
    for (const item of this) if (isSameItem(item, value)) count++;
    return count;
  }

  /**
   * Index of the first item that is `value`.
   *
   * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`: there is none. Else as {@link ShareableList.get}.
   */
  index(value: ShareableItem): number {
    let index = 0;
    for (const item of this) {
      if (isSameItem(item, value)) return index;
      index++;
    }
    throw new UsageError('Looking for an item failed: the list has no such one. count() tells before.');
  }

  /** The items as they are when each is come to. */
  *[Symbol.iterator](): IterableIterator<ShareableItem> {
    const { length } = this;
    for (let index = 0; index < length; index++) yield this.get(index);
  }

  /** Its name, layout and size. */
  stats(): ShareableListStats {
    const { length, layout, memory } = this;
    return Object.freeze({ name: memory.name, layout, length, sizeBytes: memory.sizeBytes });
  }

  /** Gives up the name; as {@link SharedMemory.unlink}. */
  unlink(): void {
    this.open('Unlinking the list');
    this.memory.unlink();
  }

  /** As {@link SharedObject.close}; its memory is closed with it. */
  override close(): void {
    if (this.isClosed) return;
    this.memory.close();
    super.close();
  }

  /** @internal */
  get parts(): Parts {
    return { memory: this.memory, layout: this.layout };
  }
}

function packed(value: unknown, layout: ShareableListLayout, doing: string): PackedItem {
  const item = packItem(value, doing);
  LAYOUTS[layout].check(item, doing);
  return item;
}

/** Makes or finds the memory of a list. */
function made(given: Iterable<ShareableItem> | null, options: ShareableListOptions): Parts {
  const { name, layout = 'furca' } = options;
  if (!Object.hasOwn(LAYOUTS, layout)) {
    throw new UsageError(`${MAKING} failed: layout must be 'furca' or 'python'.`);
  }
  const place =
    name === undefined ? {} : ({ name, namespace: layout === 'python' ? 'posix' : 'furca' } as const);
  if (given === null) {
    if (name === undefined) throw new UsageError(`${MAKING} failed: it needs items, or a name to be found.`);
    const memory = new SharedMemory(place);
    try {
      LAYOUTS[layout].open(new DataView(memory.buffer));
    } catch (error) {
      memory.close();
      throw error;
    }
    return { memory, layout };
  }
  if (typeof given !== 'object' || typeof given[Symbol.iterator] !== 'function') {
    throw new UsageError(`${MAKING} failed: items must be an array or another iterable object, or null.`);
  }
  const items = [...given].map((value) => packed(value, layout, MAKING));
  const memory = new SharedMemory({ ...place, sizeBytes: LAYOUTS[layout].sizeBytes(items) });
  LAYOUTS[layout].create(new DataView(memory.buffer), items);
  return { memory, layout };
}

registerHandleKind<ShareableList>(ShareableList, {
  id: KIND.LIST,
  handleOf: openHandleOf,
  partsOf: ({ parts }) => parts,
  revive: (handle, parts) => new ShareableList(parts as Parts, undefined, handle),
});
