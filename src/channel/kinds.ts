/** Loads every class whose objects travel as handles: a process that receives one must know it, and all load them in this order. */
import './queue.js';
import './joinable-queue.js';
import './pipe.js';
