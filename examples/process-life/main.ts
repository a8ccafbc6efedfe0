// A process has no pid before start(), lives until its function has returned, and is then taken off the system's list.
import { Event, Process } from 'furca';
import { getOutput } from 'furca/subprocess';

async function kel(letGo: Event): Promise<void> {
  await letGo.wait();
}

// As the operating system sees it, without one that has ended and is just being taken off the list (Z).
const count = () => getOutput(`ps -o stat= -p ${proc.pid} | grep -c '^[^Z]'`);

const letGo = new Event();
const proc = new Process({ target: kel, args: [letGo] });
console.log('before the start:', proc.pid, proc.isAlive());
await proc.start();
console.log('started:', proc.pid, proc.isAlive());
console.log('ps finds', await count(), 'process');
letGo.set();
await proc.join();
console.log('joined:', proc.pid, proc.isAlive(), proc.exitCode);
console.log('ps finds', await count(), 'process');
