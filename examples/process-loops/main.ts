// The same two loops with a Process: npx furca run examples/process-loops/main.ts [length of a second in ms]
import { Event, Process } from 'furca';

const second = Number(process.argv[2] ?? 1000);

async function handler(parameter: string, second: number, isHeard: Event): Promise<void> {
  console.log(`process parameter is ${parameter}`);
  while (true) {
    console.log('child process');
    isHeard.set();
    await new Promise((resolve) => setTimeout(resolve, second));
  }
}

console.log(`parent process is ${process.pid}`);
const isHeard = new Event();
const child = new Process({ target: handler, args: ['test parameter', second, isHeard] });
await child.start();
for (let round = 0; round < 3; round++) {
  console.log('parent process');
  await new Promise((resolve) => setTimeout(resolve, 3 * second));
}
await isHeard.wait();
child.terminate();
await child.join();
console.log(`child ended with exit code ${child.exitCode}`);
