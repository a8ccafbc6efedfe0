// join() needs close() first; after close() no task is taken any more; what was accepted is finished.
import { FurcaError, Pool } from 'furca';

async function refused(what: string, attempt: () => Promise<unknown>): Promise<void> {
  try {
    await attempt();
    console.log(`${what}: allowed`);
  } catch (error) {
    console.log(`${what}: ${FurcaError.is(error) ? error.code : error}`);
  }
}

const pool = new Pool(4);
const accepted = pool.applyAsync((x: number) => x * x, [7]);
await refused('join() before close()', () => pool.join());
const closing = pool.close();
await refused('a task after close()', () => pool.apply(() => 1));
await refused('join() after close()', () => pool.join());
await closing;
console.log(`a task from before close(): ${await accepted.get()}`);
