// The low-level way to a thread: a function and its arguments. Nobody waits for such a thread: it ends with the main thread,
// which in the text goes on for ever, and here until the thread has printed.
import { Event, startNewThread } from 'furca/threading';

function threadHandler(parameter: string, printed: Event): void {
  console.log(parameter);
  printed.set();
}

const printed = new Event();
startNewThread(threadHandler, ['test parameter', printed]);
await printed.wait();
// What a thread prints leaves by the main thread's event loop.
await new Promise((resolve) => setImmediate(resolve));
