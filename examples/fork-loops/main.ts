// Parent and child go on side by side, each in its own loop. The child's has no end: the parent ends it.
// Needs fork-ready Node: npx furca run examples/fork-loops/main.ts [length of a second in ms]
import { fork, waitpid } from 'furca/os';

const second = Number(process.argv[2] ?? 1000);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const pid = fork();
if (pid === 0) {
  while (true) {
    console.log('child process');
    await sleep(second);
  }
}
for (let round = 0; round < 3; round++) {
  console.log('parent process');
  await sleep(3 * second);
}
process.kill(pid);
const { signal } = await waitpid(pid);
console.log(`child ended by ${signal}`);
