// The child's parent is the process that started it. No guard is needed around the main code:
// the file is not run again in the child, whose memory is a copy of the parent's.
// Needs fork-ready Node: npx furca run examples/process-ids/main.ts
import { Process } from 'furca';

function func(): void {
  console.log(process.pid, process.ppid);
}

console.log('main:', process.pid, process.ppid);
const p = new Process({ target: func, startMethod: 'fork' });
await p.start();
await p.join();
