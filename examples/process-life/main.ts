// A process has no pid before start(), lives until its function has returned, and is then taken off the system's list.
// npx furca run examples/process-life/main.ts [length of a second in ms]
import { Process } from 'furca';
import { getOutput } from 'furca/subprocess';

const second = Number(process.argv[2] ?? 1000);

async function kel(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

// As the operating system sees it.
const count = () => getOutput(`ps -o pid= -p ${proc.pid} | wc -l`);

const proc = new Process({ target: kel, args: [20 * second] });
console.log('before the start:', proc.pid, proc.isAlive());
await proc.start();
console.log('started:', proc.pid, proc.isAlive());
console.log('ps finds', await count(), 'process');
await proc.join();
console.log('joined:', proc.pid, proc.isAlive(), proc.exitCode);
console.log('ps finds', await count(), 'process');
