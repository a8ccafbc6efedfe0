// Five tasks, four workers: tasks 0 to 3 begin at once, task 4 when one of them is done.
// npx furca run examples/pool/main.ts [length of a second in ms]
import { Pool } from 'furca';

const second = Number(process.argv[2] ?? 1000);

async function longTimeTask(name: number, second: number): Promise<void> {
  console.log(`Run task ${name} (${process.pid})...`);
  const start = Date.now();
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 3 * second));
  const end = Date.now();
  console.log(`Task ${name} runs ${((end - start) / 1000).toFixed(2)} seconds.`);
}

console.log(`Parent process ${process.pid}.`);
const p = new Pool(4);
for (const i of [0, 1, 2, 3, 4]) p.applyAsync(longTimeTask, [i, second]);
console.log('Waiting for all subprocesses done...');
p.close();
await p.join();
console.log('All subprocesses done.');
