// Two threads with a function and an argument each; join() waits for them.
import { Thread } from 'furca/threading';

function threadHandler(parameter: string): void {
  console.log(parameter);
}

const th1 = new Thread({ target: threadHandler, args: ['test parameter 1'] });
const th2 = new Thread({ target: threadHandler, args: ['test parameter 2'] });
await th1.start();
await th2.start();
await th1.join();
await th2.join();
console.log('All threads ended');
