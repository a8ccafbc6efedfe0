// A pool by hand, out of a pipe and a process for each item, and a closure that sends the result back.
import { Pipe, type PipeConnection, Process } from 'furca';

type Job = (pipe: PipeConnection, x: string) => Promise<void>;

function spawn(f: (x: string) => unknown): Job {
  return async function fun(pipe, x) {
    await pipe.send(f(x));
    pipe.close();
  };
}

async function partmap(f: (x: string) => unknown, items: readonly string[]): Promise<unknown[]> {
  const pipes = items.map(() => Pipe());
  const job = spawn(f);
  const processes = pipes.map(
    ([, child], i) => new Process({ target: job, args: [child, items[i] as string] }),
  );
  for (const p of processes) await p.start();
  for (const p of processes) await p.join();
  return Promise.all(pipes.map(([parent]) => parent.recv()));
}

function kel(x: string): [string, string] {
  return ['hello,', x];
}

console.log(await partmap(kel, ['kel', 'smile']));
