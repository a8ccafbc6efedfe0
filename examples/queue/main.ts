// One process puts values into a queue, another takes them out, in a loop without end: it is terminated.
// npx furca run examples/queue/main.ts [length of a second in ms]
import { Process, Queue } from 'furca';

const second = Number(process.argv[2] ?? 1000);

// What the writer runs.
async function write(q: Queue<string>, second: number): Promise<void> {
  console.log(`Process to write: ${process.pid}`);
  for (const value of ['A', 'B', 'C']) {
    console.log(`Put ${value} to queue...`);
    await q.put(value);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * second));
  }
}

// What the reader runs.
async function read(q: Queue<string>): Promise<void> {
  console.log(`Process to read: ${process.pid}`);
  while (true) {
    const value = await q.get();
    console.log(`Get ${value} from queue.`);
  }
}

// The parent makes the queue and hands it to both.
const q = new Queue<string>();
const pw = new Process({ target: write, args: [q, second] });
const pr = new Process({ target: read, args: [q] });
await pw.start();
await pr.start();
await pw.join();
// The text trusts that the reader is through by now; here it is certain.
while (!q.isEmpty) await new Promise((resolve) => setTimeout(resolve, 10));
await new Promise((resolve) => setTimeout(resolve, second));
pr.terminate();
await pr.join();
