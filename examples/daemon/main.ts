// A daemon ends when the main code has come to its end, not when the whole main process has: that waits for its other
// children, here for one that waits until the daemon has ended.
import { Event, Process } from 'furca';

async function tick(ticked: Event): Promise<void> {
  while (true) {
    console.log('daemon: tick');
    ticked.set();
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function work(daemonEnded: Event): Promise<void> {
  await daemonEnded.wait();
  console.log('child: done');
}

const ticked = new Event();
const daemonEnded = new Event();
const daemon = new Process({ target: tick, args: [ticked], daemon: true });
const child = new Process({ target: work, args: [daemonEnded] });
await daemon.start();
await child.start();
daemon.sentinel.then((exitCode) => {
  console.log(`daemon: ended with ${exitCode}, child alive: ${child.isAlive()}`);
  daemonEnded.set();
});
await ticked.wait();
console.log('main: the code ends here');
