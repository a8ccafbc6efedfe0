/** Child of the child_process.fork memory rows: lives until its channel closes. */
import { smallTask } from '../../tasks.js';

if (process.argv[2] === 'worked') smallTask();
process.on('message', () => {});
process.send?.('x');
