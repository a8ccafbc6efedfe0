/** The program of a zygote. The streams come first: merely importing node:util makes `process.stderr` on Node 22 and later. */
import { holdBackStreams } from '../process/zygote-streams.js';

holdBackStreams();
await import('./zygote-program.js');
