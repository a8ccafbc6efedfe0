import { testPools } from './pool-runner.js';

testPools('thread', {
  'processes that a task has started end with it when it is stopped, also those that ignore SIGTERM':
    'of the processes below this one nobody can tell which a thread has started',
});
