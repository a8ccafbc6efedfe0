import workerpool from 'workerpool';
import { throwIt } from './tasks.mjs';

workerpool.worker({ throwIt });
