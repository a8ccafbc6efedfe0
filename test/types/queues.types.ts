/**
 * Holds when it compiles: what the types of queues and pipes promise. Nothing here is ever run.
 */
import { JoinableQueue, type Loan, Pipe, Queue } from '../../src/index.js';
import type { Equal } from './exactly.js';

/** Compiles only if the value's type is `Wanted`, no more and no less. */
function exactly<Wanted>(): <Given>(
  value: Given,
  ...claim: Equal<Wanted, Given> extends true ? [] : [never]
) => void {
  return () => {};
}

type Samples = { readonly name: string; readonly numbers: Float64Array };

export async function loansAreTypedAsWhatTheyLend(): Promise<void> {
  const queue = new Queue<Samples>();
  exactly<Samples>()(await queue.get());
  exactly<Samples>()(await queue.get({ timeoutMs: 1, zeroCopy: false }));
  exactly<Loan<Samples>>()(await queue.get({ timeoutMs: 1, zeroCopy: true }));
  exactly<Float64Array>()((await queue.get({ zeroCopy: true })).value.numbers);
  exactly<Samples | undefined>()(queue.tryGet());
  exactly<Loan<Samples> | undefined>()(queue.tryGet({ zeroCopy: true }));
  exactly<Loan<Samples>>()(queue.getSync({ zeroCopy: true }));
  exactly<Samples[]>()(await queue.getMany(3));
  exactly<Loan<Samples>[]>()(await queue.getMany(3, { zeroCopy: true }));
  for await (const item of queue) exactly<Samples>()(item);
  for await (const item of queue.loans()) exactly<Loan<Samples>>()(item);
  // @ts-expect-error zeroCopy is known when the program is written: what comes depends on it.
  await queue.get({ zeroCopy: Math.random() < 0.5 });
  // @ts-expect-error A loan is not what it lends.
  (await queue.get({ zeroCopy: true })).numbers;
  exactly<Samples>()(await new JoinableQueue<Samples>().get());
}

export async function pipesLendAndFill(): Promise<void> {
  const [here] = Pipe<Samples>();
  exactly<Samples>()(await here.recv());
  exactly<Loan<Samples>>()(await here.recv({ zeroCopy: true }));
  exactly<Loan<Samples> | undefined>()(here.tryRecv({ zeroCopy: true }));
  exactly<Loan<Samples>>()(here.recvSync({ zeroCopy: true }));
  exactly<Loan<Buffer>>()(await here.recvBytes({ zeroCopy: true, maxLengthBytes: 9 }));
  exactly<Loan<Buffer> | undefined>()(here.tryRecvBytes({ zeroCopy: true }));
  exactly<Loan<Buffer>>()(here.recvBytesSync({ zeroCopy: true }));
  exactly<number>()(await here.recvBytesInto(new Int32Array(10), { offsetBytes: 4 }));
  exactly<number | undefined>()(here.tryRecvBytesInto(Buffer.alloc(1)));
  exactly<number>()(here.recvBytesIntoSync(new DataView(new ArrayBuffer(1)), { timeoutMs: 1 }));
  // @ts-expect-error A plain array is no memory.
  await here.recvBytesInto([1, 2]);
}
