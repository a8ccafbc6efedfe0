// Processes share no variables: what a child changes stays in the child, under os.fork() too.
// Needs fork-ready Node: npx furca run examples/data-isolation/main.ts
import { Process } from 'furca';
import { fork, waitpid } from 'furca/os';

let count = 0;
const data = { list: [1, 2, 3] };

const pid = fork();
if (pid === 0) {
  count += 100;
  data.list.push(4);
  console.log(`forked child: count ${count}, list ${data.list}`);
} else {
  await waitpid(pid);
  console.log(`parent after fork: count ${count}, list ${data.list}`);

  const p = new Process({
    target: (given: { list: number[] }) => {
      given.list.push(5);
      console.log(`process: list ${given.list}`);
    },
    args: [data],
  });
  await p.start();
  await p.join();
  console.log(`parent after process: list ${data.list}`);
}
