#!/usr/bin/env node
import { createRequire } from 'node:module';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { cpuCount, FurcaError } from '../index.js';
import { type MapOptions, mapInputs } from './map.js';
import { EXIT, Mistake } from './mistake.js';
import { runScript } from './run.js';
import { drawSchedule, type ScheduleOptions } from './schedule.js';
import type { WorkerOptions } from './worker.js';

const MAP_HELP = `
The function gets one input, a string, and its result, awaited, is printed as one line of JSON: bare and in the
order of the inputs; with --unordered or --with-input as {"index":0,"input":"a.txt","value":…}.
No result (undefined) is null. A failed input prints nothing on stdout. What the function prints goes to stderr.

Inputs are the words given, where patterns such as 'src/**/*.ts' stand for the files they match, sorted; with no
words, and for -, the lines of stdin, read only as fast as they are worked on.

Without #export it is the default export, else the only function the module exports. TypeScript runs where Node
runs it: 22.18 and later.

Examples:
  furca map ./resize.ts photos/*.jpg
  furca map ./check.js#checkFile 'src/**/*.js' --keep-going --task-timeout-ms 5000
  git ls-files | furca map ./count-lines.ts --unordered | jq .value
  furca map node:path#basename /a/b.c

Exit code: 0 all done (also when stdout was closed, as by head) · 1 an input failed · 2 wrong use · 130 Ctrl-C · 143 SIGTERM`;

const RUN_HELP = `
A fork-ready process can copy itself: os.fork() of furca/os, and start method 'fork', need it. Everything before the script is
for Node. The command becomes the script: same process, same terminal; signals and exit code are the script's own.

Examples:
  furca run main.ts --port 8080
  furca run --import tsx --enable-source-maps main.ts`;

process.stderr.on('error', () => {
  // Whoever closed stderr does not want to hear of it.
});
process.exit(await main(process.argv.slice(2)));

async function main(words: readonly string[]): Promise<number> {
  try {
    // Every word after `run` belongs to Node or to the script.
    if (words[0] === 'run' && words.length > 1 && !/^(-h|--help)$/.test(words[1] ?? ''))
      return runScript(words.slice(1));
    let exitCode: number = EXIT.OK;
    const program = commands((code) => {
      exitCode = code;
    });
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    return explain(error, words[0]);
  }
}

function explain(error: unknown, verb: string | undefined): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.OK : EXIT.MISUSED;
  if (error instanceof Mistake) {
    process.stderr.write(`furca ${verb}: ${error.message}\n`);
    return EXIT.MISUSED;
  }
  const said = FurcaError.is(error)
    ? (error as FurcaError).message
    : ((error as Error | null)?.stack ?? String(error));
  process.stderr.write(`furca ${verb}: ${said}\n`);
  return EXIT.FAILED;
}

function commands(onEnd: (exitCode: number) => void): Command {
  const program = new Command('furca')
    .description('Maps functions over inputs on every CPU, and runs scripts that can fork.')
    .version(ownVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ helpWidth: 110 })
    .configureOutput({
      outputError: (text, write) =>
        write(
          `furca: ${text
            .replace(/^error: /, '')
            .trim()
            .replaceAll('\n', ' ')}\n`,
        ),
    })
    .exitOverride();
  addMap(program, onEnd);
  addSchedule(program, onEnd);
  addWorker(program, onEnd);
  program
    .command('run')
    .usage('[node flags] <script> [arguments...]')
    .argument('<script>', 'the script, after flags for Node')
    .argument('[arguments...]', "the script's own")
    .description('run a script in a process that can fork')
    .addHelpText('after', RUN_HELP)
    .action((script: string) => runScript([script]));
  return program;
}

function addMap(program: Command, onEnd: (exitCode: number) => void): void {
  program
    .command('map')
    .description('give each input to a function, in many processes, and print the results')
    .argument('<module[#export]>', 'module and function: a path, a package or a node: module')
    .argument('[inputs...]', 'texts, patterns of file names, or - for the lines of stdin')
    .option(
      '-j, --jobs <n>',
      `number of processes (default: CPUs this process may use, here ${cpuCount()})`,
      wholeFrom(1),
    )
    .option(
      '--chunk-size <n>',
      'inputs handed to a process at a time (default: as many as keep it busy)',
      wholeFrom(1),
    )
    .option(
      '--task-timeout-ms <n>',
      'longest time for one input, in milliseconds; then it has failed',
      wholeFrom(1),
    )
    .option(
      '--retries <n>',
      'try an input again when its process died, so many times (default: 0)',
      wholeFrom(0),
    )
    .option(
      '--backoff-ms <n>',
      'pause before such a try, twice as long before each further one',
      wholeFrom(0),
    )
    .option(
      '--max-tasks-per-child <n>',
      'inputs a process is given before a fresh one takes its place',
      wholeFrom(1),
    )
    .option('--max-memory-mb <n>', 'a process that is larger after an input is replaced', wholeFrom(1))
    .option('--trace <file>', 'write what happened when, as a trace for Perfetto')
    .option('-u, --unordered', 'print results as they come, each with its index and input')
    .option('-i, --with-input', 'print index and input with each result')
    .option('-k, --keep-going', 'go on after a failed input; the exit code is 1 all the same')
    .option('--stack', 'print whole stack traces of failed inputs')
    .option('--no-glob', 'take patterns as the texts they are')
    .option('--allow-empty', 'let a pattern match nothing')
    .option('-0, --null', 'inputs on stdin end with a zero byte, as from find -print0')
    .option('--no-progress', 'show no progress (it is shown on stderr if that is a terminal)')
    .addHelpText('after', MAP_HELP)
    .action(async (specifier: string, inputs: string[], options: MapOptions) =>
      onEnd(await mapInputs(specifier, inputs, options)),
    );
}

function addSchedule(program: Command, onEnd: (exitCode: number) => void): void {
  program
    .command('schedule')
    .description('draw how policies of the pool schedule a trace of jobs')
    .requiredOption('-t, --trace <file>', 'the jobs: lines of name,arrival ms,run ms[,priority]; - for stdin')
    .option('-p, --policy <names>', 'fcfs, sjf, priority, mlfq, with commas between (default: all)')
    .option('-c, --cpus <n>', 'jobs that run at a time', wholeFrom(1), 1)
    .option('-r, --real', 'run the trace in a pool as well, beside the simulation')
    .option('-s, --svg <file>', 'write the charts as an image, too')
    .action(async (options: ScheduleOptions) => onEnd(await drawSchedule(options)));
}

function addWorker(program: Command, onEnd: (exitCode: number) => void): void {
  program
    .command('worker')
    .description('run the work of a queue that programs on other machines fill (needs bullmq and ioredis)')
    .requiredOption('-b, --broker <url>', 'Redis or Valkey: redis://host:port, rediss:// for TLS')
    .requiredOption('-q, --queue <names>', 'the queues, with commas between')
    .requiredOption('-a, --app <folder>', "the program's modules, the same build as the callers'")
    .option('-j, --jobs <n>', `number of processes (default: ${cpuCount()})`, wholeFrom(1))
    .option('-t, --tags <names>', 'what this machine has, with commas between: work may ask for it')
    .option('-k, --key-file <file>', 'a file with the key (default: the variable FURCA_CLUSTER_KEY)')
    .option('--http <port>', 'serve /healthz and /metrics at a port of loopback, or at address:port')
    .option('--max-memory-mb <n>', 'a process that is larger after an item is replaced', wholeFrom(1))
    .option(
      '--lost-after-ms <n>',
      'its work goes to others when it was silent so long (default: 10000)',
      wholeFrom(500),
    )
    // Loaded on use: a program that maps files needs none of it.
    .action(async (options: WorkerOptions) => onEnd(await (await import('./worker.js')).runWorker(options)));
}

function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least}.`);
  };
}

function ownVersion(): string {
  const { version } = createRequire(import.meta.url)('furca/package.json') as { version: string };
  return version;
}
