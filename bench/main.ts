/** `npm run bench -- <shape>`: furca and its rivals side by side; see README.md. */

import { renderTable } from './report/tables.js';
import { judge } from './report/targets.js';
import { describeMachine } from './runner/machine.js';
import { killRunning } from './runner/observation.js';
import { readOptions } from './runner/options.js';
import { saveResults } from './runner/results-file.js';
import { runRounds } from './runner/rounds.js';
import { shapeNamed } from './shapes/registry.js';

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  const shape = shapeNamed(options.shape);
  const machine = describeMachine();
  const say = (line: string): void => void process.stderr.write(`${line}\n`);

  console.log(`furca bench: ${shape.name}, ${options.mode}, rounds: ${options.rounds}`);
  console.log(`${machine.cpu}, ${machine.cores} CPUs, ${machine.memoryMb} MB, ${machine.os}`);
  console.log(
    `Node ${machine.node}, ${machine.python ?? 'no Python'}, commit ${machine.commit}, ${machine.date}\n`,
  );
  if (machine.loadBefore > machine.cores / 2) {
    say(
      `!!! the machine is not idle: load ${machine.loadBefore} on ${machine.cores} CPUs. Figures will be off.`,
    );
  }

  if (options.mode === 'quick') say('quick: small counts, one look at every row; no figures to rely on.');

  const results = await runRounds(shape, { ...options, say });
  for (const table of shape.tables) {
    const text = renderTable(table, results);
    if (text !== '') console.log(`\n${text}`);
  }
  const settings = new Map(results.map(({ row }) => [row.settings, row.label] as const).toReversed());
  settings.delete('');
  if (settings.size > 0) console.log('\nSettings');
  for (const [text, label] of [...settings].toReversed()) console.log(`${label}: ${text}`);
  const targets = shape.targets.map((target) => judge(target, results));
  console.log(`\nTargets\n${targets.join('\n')}`);

  if (options.mode === 'full' && options.only === '') {
    console.log(`\nRaw values: ${saveResults(options, machine, results, targets)}`);
  } else {
    console.log('\nNot saved: only a full run of all rows is.');
  }
  const failed = results.filter(({ failures }) => failures.length > 0);
  for (const { row, failures } of failed) {
    say(`!!! ${row.id} failed in ${failures.length} of ${options.rounds} rounds`);
  }
  return failed.length > 0 ? 1 : 0;
}

// Whatever ends the driver, a closed pipe behind stdout included, nothing it started stays behind.
process.once('exit', killRunning);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    killRunning();
    process.kill(process.pid, signal);
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
