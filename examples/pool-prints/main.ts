// A pool's processes are made once and take task after task.
import { Pool } from 'furca';

function handler(argument: number): void {
  console.log(argument);
}

const pool = new Pool(4);
const tasks = [0, 1, 2, 3].map((loop) => pool.apply(handler, [loop]));
await Promise.all(tasks);
await pool.close();
await pool.join();
console.log('All child processes done');
