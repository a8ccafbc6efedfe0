// One process puts values into a queue, another takes them out, in a loop without end: it is terminated.
// npx furca run examples/queue/main.ts [length of a second in ms]
import { JoinableQueue, Process } from 'furca';

const second = Number(process.argv[2] ?? 1000);

// What the writer runs.
async function write(q: JoinableQueue<string>, second: number): Promise<void> {
  console.log(`Process to write: ${process.pid}`);
  for (const value of ['A', 'B', 'C']) {
    console.log(`Put ${value} to queue...`);
    await q.put(value);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * second));
  }
}

// What the reader runs.
async function read(q: JoinableQueue<string>): Promise<void> {
  console.log(`Process to read: ${process.pid}`);
  while (true) {
    const value = await q.get();
    console.log(`Get ${value} from queue.`);
    q.taskDone();
  }
}

// The parent makes the queue and hands it to both.
const q = new JoinableQueue<string>();
const pw = new Process({ target: write, args: [q, second] });
const pr = new Process({ target: read, args: [q] });
await pw.start();
await pr.start();
await pw.join();
// The text trusts that the reader is through by now; here it is certain.
await q.join();
pr.terminate();
await pr.join();
