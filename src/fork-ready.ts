/**
 * `import 'furca/fork-ready'` as the first import of a program makes it able to fork itself: if the process was not started so,
 * it is replaced by one that runs the same script with the same arguments. What was imported before runs twice.
 *
 * @packageDocumentation
 */
import { becomeForkReady } from './process/re-execute.js';

becomeForkReady();
