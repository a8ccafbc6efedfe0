import { Client, type Connection, Listener, tuple, wait } from '../../src/connection.js';
import {
  BaseManager,
  type DictProxy,
  keywords,
  type ListProxy,
  Manager,
  type Proxied,
  type QueueProxy,
} from '../../src/managers.js';
import type { Equal } from './exactly.js';

/** Compiles only if the value's type is `Wanted`, no more and no less. */
function exactly<Wanted>(): <Given>(
  value: Given,
  ...claim: Equal<Wanted, Given> extends true ? [] : [never]
) => void {
  return () => {};
}

interface Model {
  predict(xs: number[]): number[];
  load(path: string): Promise<boolean>;
  readonly size: number;
}

export async function connections(): Promise<void> {
  const listener = await Listener.listen<string, number>({ host: 'localhost', port: 0 });
  exactly<Connection<string, number>>()(await listener.accept());
  const client = await Client<number, string>(listener.address);
  exactly<number>()(await client.recv());
  exactly<number | undefined>()(client.tryRecv());
  exactly<Uint8Array>()(await client.recvBytes());
  await client.send('text');
  // @ts-expect-error: it sends strings.
  await client.send(7);
  // @ts-expect-error: no such format.
  await Client('/path', { format: 'json' });
  for await (const one of listener) exactly<Connection<string, number>>()(one);
  for await (const text of await listener.accept()) exactly<string>()(text);
  exactly<unknown>()(await (await Client('/path')).recv());
  exactly<(Connection<number, string> | Listener<string, number>)[]>()(await wait([client, listener]));
  // @ts-expect-error: nothing to wait for.
  await wait([7]);
  exactly<readonly [1, 'a']>()(tuple(1, 'a'));
}

export async function managers(): Promise<void> {
  const manager = await Manager();
  exactly<DictProxy<string, number>>()(await manager.dict<string, number>());
  exactly<ListProxy<number>>()(await manager.list([1, 2]));
  const queue = await manager.Queue<Model>();
  exactly<QueueProxy<Model>>()(queue);
  exactly<Model>()(await queue.get());
  // @ts-expect-error: not what the queue holds.
  await queue.put(1);
  const model = await new BaseManager().create<Model>('Model', keywords({ bias: 1 }));
  exactly<Proxied<Model>>()(model);
  exactly<number[]>()(await model.predict([1]));
  exactly<boolean>()(await model.load('path'));
  // @ts-expect-error: not its argument.
  await model.predict('x');
  // @ts-expect-error: properties do not travel.
  model.size;
}
