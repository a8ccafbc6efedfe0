/** A dedicated worker script, which workerpool's own guide advises over functions sent as text. */
import workerpool from 'workerpool';

import { noop } from '../../tasks.js';

workerpool.worker({ noop });
