// A daemon ends when the main code has come to its end, not when the whole main process has:
// that waits for its other children. npx furca run examples/daemon/main.ts [length of a second in ms]
import { Process } from 'furca';

const second = Number(process.argv[2] ?? 1000);

async function tick(second: number): Promise<void> {
  while (true) {
    console.log('daemon: tick');
    await new Promise((resolve) => setTimeout(resolve, second));
  }
}

async function work(second: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5 * second));
  console.log('child: done');
}

const daemon = new Process({ target: tick, args: [second], daemon: true });
const child = new Process({ target: work, args: [second] });
await daemon.start();
await child.start();
daemon.sentinel.then((exitCode) => {
  console.log(`daemon: ended with ${exitCode}, child alive: ${child.isAlive()}`);
});
await new Promise((resolve) => setTimeout(resolve, 2.5 * second));
console.log('main: the code ends here');
