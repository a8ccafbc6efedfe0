/** One observation in a fresh process: `node observe.js <shape> <row> <mode>` prints one line of JSON. */
import { writeSync } from 'node:fs';

import { rowsOf } from './runner/plan.js';
import { shapeNamed } from './shapes/registry.js';

const [shapeName = '', rowId = '', mode = ''] = process.argv.slice(2);
const row = rowsOf(shapeNamed(shapeName)).find(({ id }) => id === rowId);
if (row?.program.kind !== 'node' || (mode !== 'full' && mode !== 'quick')) {
  throw new Error(`no row ${rowId} of Node in shape ${shapeName}, or no mode ${mode}.`);
}
const observation = await row.program.observe(mode);
writeSync(1, `${JSON.stringify(observation)}\n`);
