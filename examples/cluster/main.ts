import { ClusterPool } from 'furca/cluster';
import { globSync } from 'tinyglobby';
import { countStatements } from './tasks.js';

const [broker = 'redis://127.0.0.1:6379', folder = 'node_modules'] = process.argv.slice(2);
const paths = globSync(['**/*.mjs', '**/esm/**/*.js'], { cwd: folder, absolute: true }).slice(0, 2000);

const pool = new ClusterPool({
  connection: broker,
  queue: 'demo',
  app: import.meta.dirname ?? new URL('.', import.meta.url),
});
await pool.warmUp({ timeoutMs: 30_000 });
const began = performance.now();
let statements = 0;
let failed = 0;
for await (const file of pool.imapSettled(countStatements, paths, { unordered: true, progress: true })) {
  if (file.status === 'fulfilled') statements += file.value;
  else failed += 1;
}
const seconds = (performance.now() - began) / 1000;
const { workers, completed } = pool.stats();
await pool.close();
console.log(
  `${paths.length} files, ${statements} statements, ${failed} that are no modules; ${workers} workers, ${completed} chunks, ${seconds.toFixed(1)} s`,
);
