/** Thread of the Worker row; ends by itself, for nothing listens on its port. */
import { parentPort } from 'node:worker_threads';

parentPort?.postMessage('x');
