// One call, two returns: the child's pid in the parent, 0 in the child.
// Needs fork-ready Node: npx furca run examples/os-fork/main.ts
import { fork, getpid, getppid, waitpid } from 'furca/os';

console.log(`Process (${getpid()}) start...`);
const pid = fork();
if (pid === 0) {
  console.log(`I am child process (${getpid()}) and my parent is ${getppid()}.`);
} else {
  console.log(`I (${getpid()}) just created a child process (${pid}).`);
  await waitpid(pid);
}
