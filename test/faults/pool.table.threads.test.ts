import { testTable } from './fault-table-cases.js';

testTable('thread');
