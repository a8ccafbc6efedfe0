// A pool's processes are made once and take task after task.
import { Pool } from 'furca';

function handler(argument: number): void {
  console.log(argument);
}

const pool = new Pool(4);
for (const loop of [0, 1, 2, 3]) pool.applyAsync(handler, [loop]);
pool.close();
await pool.join();
console.log('All child processes done');
