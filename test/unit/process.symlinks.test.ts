import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { functionIn, Process, type StartMethod } from '../../src/index.js';
import { watchTests } from '../harness/watchdog.js';

watchTests();

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'furca-symlinks-')));
after(() => rmSync(folder, { recursive: true }));

/** A package behind a symbolic link, as pnpm installs them all. */
const store = join(folder, 'store');
mkdirSync(store);
writeFileSync(join(store, 'package.json'), '{ "name": "linked", "type": "module", "exports": "./index.js" }');
writeFileSync(join(store, 'index.js'), 'export const address = import.meta.url;');
mkdirSync(join(folder, 'node_modules'));
symlinkSync(store, join(folder, 'node_modules', 'linked'));
const task = join(folder, 'task.mjs');
writeFileSync(
  task,
  `import { writeSync } from 'node:fs';
   import { address } from 'linked';
   export const tell = () => writeSync(1, address);`,
);

for (const startMethod of ['forkserver', 'spawn'] satisfies StartMethod[]) {
  test(`${startMethod}: a package behind a symbolic link is loaded from where it really is, as in the parent`, async () => {
    const child = new Process({
      target: functionIn(pathToFileURL(task), 'tell'),
      // A pipe: Node 20 took what it had learned of one for an answer about the module's path.
      stdio: ['ignore', 'pipe', 'inherit'],
      startMethod,
    });
    await child.start();
    let address = '';
    for await (const text of child.stdout ?? []) address += text;
    await child.join();
    assert.equal(address, pathToFileURL(join(store, 'index.js')).href);
  });
}
