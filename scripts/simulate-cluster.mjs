// Where a cluster of many hosts meets the bound of one Redis: `node scripts/simulate-cluster.mjs` prints the table of docs/scaling.md, from
// the constants in bench/results/cluster-constants.json, which scripts/measure-engine.mjs has measured.
import { readFileSync } from 'node:fs';
import { saturation, simulate } from './cluster/simulator.mjs';

const file = new URL('../bench/results/cluster-constants.json', import.meta.url);
const { engineMs, engineUsPerByte, callerMs } = JSON.parse(readFileSync(file, 'utf8'));
const PROCESSES = 8;
const BYTES_PER_ITEM = 20;

const rows = [];
for (const [itemMs, chunkMs] of [
  [0.01, 50],
  [1, 50],
  [10, 50],
  [10, 1000],
  [100, 100],
  [1000, 1000],
]) {
  const items = Math.min(16_384, Math.max(1, Math.round(chunkMs / itemMs)));
  const base = {
    processes: PROCESSES,
    itemMs,
    items,
    engineMs,
    engineUsPerByte,
    callerMs,
    bytes: 400 + items * BYTES_PER_ITEM,
  };
  const at = (hosts, engines) => {
    const { efficiency, engineLoad } = simulate({
      ...base,
      hosts,
      engines,
      callers: Math.max(1, hosts / 10),
    });
    return `${Math.round(efficiency * 100)} % (${Math.round(engineLoad * 100)} %)`;
  };
  rows.push([
    `${itemMs} ms`,
    `${items}`,
    at(10, 1),
    at(100, 1),
    at(1000, 1),
    at(1000, 10),
    `${saturation(base)}`,
  ]);
}
const head = [
  'item',
  'items of a chunk',
  '10 hosts',
  '100 hosts',
  '1,000 hosts',
  '1,000 hosts, 10 queues on 10 Redis',
  'hosts that one Redis feeds',
];
for (const row of [head, head.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);
