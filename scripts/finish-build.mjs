// What tsc leaves to do: joins the modules of src/ into the few files of dist/lib that are published.
//
// Node reads an ES module in about 0.6 ms, and furca has some seventy: read one by one they would be more than half of a
// zygote's start. Modules stay shared between all doors and programs (code splitting), so that each exists once.
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const entries = [
  'index',
  'os',
  'subprocess',
  'connection',
  'cluster',
  'managers',
  'fork-ready',
  'cli/main',
  'cli/map-worker',
  'entry/zygote',
  'entry/spawned',
  'entry/thread',
  'threading',
  'futures',
  'scheduling',
  'pool/worker/worker',
  'manager/server/serve',
];

rmSync(at('dist/lib'), { recursive: true, force: true });
await build({
  entryPoints: entries.map((entry) => at(`src/${entry}.ts`)).filter((path) => existsSync(path)),
  outdir: at('dist/lib'),
  outbase: at('src'),
  // One folder deep, as base/programs.ts is.
  chunkNames: 'base/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
});
for (const command of ['dist/lib/cli/main.js', 'dist/src/cli/main.js']) {
  if (existsSync(at(command))) chmodSync(at(command), 0o755);
}
