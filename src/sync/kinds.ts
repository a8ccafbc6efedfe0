/** Loads every class whose objects travel as handles: a process that receives one must know it. */
import './barrier.js';
import './condition.js';
import './event.js';
import './lock.js';
import './rlock.js';
import './semaphore.js';
import './shareable-list.js';
import './shared-array.js';
import './shared-memory.js';
import './value.js';
