// Both ends of a pipe send and receive. In the text the second recv() waits for ever; here it learns that the sender is gone.
import { FurcaError, Pipe, type PipeConnection, Process } from 'furca';

async function fun(pipe: PipeConnection, x: string): Promise<void> {
  await pipe.send(`hello,${x}`);
  console.log(await pipe.recv());
}

const [receiver, sender] = Pipe();
const proc = new Process({ target: fun, args: [sender, 'kel'] });
await proc.start();
sender.close();
console.log(await receiver.recv());
await receiver.send('and back');
await proc.join();
try {
  console.log(await receiver.recv());
} catch (error) {
  if (!FurcaError.is(error)) throw error;
  console.log('nobody sends any more:', error.code);
}
