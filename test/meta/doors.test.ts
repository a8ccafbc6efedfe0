import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { root } from './sources.js';

type Door = string | { readonly types: string; readonly default: string };
const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  exports: Record<string, Door>;
};

/** What a process has open, and listens to. Read twice before the import, so that the reading itself has left its traces. */
const PROBE = `
import { readdirSync, readlinkSync, readFileSync } from 'node:fs';
const open = () => readdirSync('/proc/self/fd').flatMap((fd) => {
  try { return [fd + ' ' + readlinkSync('/proc/self/fd/' + fd)]; } catch { return []; }
}).filter((line) => !line.includes('/proc/'));
const look = () => ({
  descriptors: open(),
  resources: process.getActiveResourcesInfo().sort(),
  listeners: process.eventNames().map((name) => String(name) + ' ' + process.listenerCount(name)).sort(),
  shared: readFileSync('/proc/self/maps', 'utf8').split('\\n').filter((line) => / rw-s /.test(line)).length,
  children: readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8'),
});
const turns = async () => { for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve)); };
// Since Node 22 this module of Node's own opens standard streams when it is imported.
await import('node:util');
await turns();
look();
const before = look();
await import(process.argv[1]);
await turns();
const after = look();
console.log(JSON.stringify({ before, after }));
`;

/** With these a process can fork itself already: the door that sees to it has nothing to do. */
const FORK_READY = ['--single-threaded', '--v8-pool-size=1'];

for (const [name, door] of Object.entries(exports)) {
  if (typeof door === 'string') continue;
  const built = [door.types.replace(/\.d\.ts$/, '.js'), door.default].filter((path) =>
    existsSync(`${root}${path}`),
  );
  for (const path of new Set(built)) {
    test(`importing ${name.replace(/^\./, 'furca')} (${path}) starts and opens nothing`, {
      timeout: 130_000,
    }, () => {
      const flags = name === './fork-ready' ? FORK_READY : [];
      const args = [...flags, '--input-type=module', '--eval', PROBE, pathToFileURL(`${root}${path}`).href];
      const run = spawnSync(process.execPath, args, {
        encoding: 'utf8',
        timeout: 120_000,
        killSignal: 'SIGKILL',
        env: { ...process.env, NODE_OPTIONS: '' },
      });
      assert.equal(run.status, 0, run.stderr);
      const { before, after } = JSON.parse(run.stdout) as { before: unknown; after: unknown };
      assert.deepEqual(after, before);
    });
  }
}

test('every door is there once it is built, with its types', () => {
  for (const [name, door] of Object.entries(exports)) {
    for (const path of typeof door === 'string' ? [door] : [door.types]) {
      assert.ok(existsSync(`${root}${path}`), `${name}: ${path} is missing`);
    }
  }
});
