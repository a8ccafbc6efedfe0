// A process runs a function with arguments; join() waits for it.
import { Process } from 'furca';

// What the child runs.
function runProc(name: string): void {
  console.log(`Run child process ${name} (${process.pid})...`);
}

console.log(`Parent process ${process.pid}.`);
const p = new Process({ target: runProc, args: ['test'] });
console.log('Child process will start.');
await p.start();
await p.join();
console.log('Child process end.');
