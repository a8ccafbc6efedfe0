// The low-level way to a thread: a function and its arguments. Nobody waits for such a thread: it ends with the main thread,
// which in the text goes on for ever, and here for three seconds.
// npx furca run examples/start-new-thread/main.ts [length of a second in ms]
import { startNewThread } from 'furca/threading';

const second = Number(process.argv[2] ?? 1000);

function threadHandler(parameter: string): void {
  console.log(parameter);
}

startNewThread(threadHandler, ['test parameter']);
await new Promise((resolve) => setTimeout(resolve, 3 * second));
