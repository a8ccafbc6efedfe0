// Parent and child go on side by side, each in its own loop. The child's has no end: the parent ends it, once it has heard of it.
// Needs fork-ready Node: npx furca run examples/fork-loops/main.ts [length of a second in ms]
import { fork, getpid, waitpid } from 'furca/os';

const second = Number(process.argv[2] ?? 1000);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let isHeard = false;
process.on('SIGUSR2', () => {
  isHeard = true;
});
const parent = getpid();
const pid = fork();
if (pid === 0) {
  while (true) {
    console.log('child process');
    process.kill(parent, 'SIGUSR2');
    await sleep(second);
  }
}
for (let round = 0; round < 3 || !isHeard; round++) {
  console.log('parent process');
  await sleep(3 * second);
}
process.kill(pid);
const { signal } = await waitpid(pid);
console.log(`child ended by ${signal}`);
