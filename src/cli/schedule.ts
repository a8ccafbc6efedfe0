import { readFileSync, writeFileSync } from 'node:fs';
import { FurcaError } from '../index.js';
import {
  ganttSvg,
  ganttText,
  makePolicy,
  POLICY_NAMES,
  type PolicyName,
  parseTrace,
  playTrace,
  type ScheduleRun,
  simulate,
  type TraceJob,
} from '../scheduling.js';
import { EXIT, Mistake } from './mistake.js';

/** Options of `furca schedule`, as its help names them. */
export interface ScheduleOptions {
  readonly trace: string;
  readonly policy?: string;
  readonly cpus: number;
  readonly real?: true;
  readonly svg?: string;
}

/**
 * Draws how a trace of jobs is scheduled.
 *
 * @returns the exit code.
 * @throws {@link Mistake} the command was used wrongly; nothing was printed.
 */
export async function drawSchedule(options: ScheduleOptions): Promise<number> {
  const jobs = readTrace(options.trace);
  const runs: ScheduleRun[] = [];
  for (const policy of policiesOf(options.policy)) {
    runs.push(simulate(jobs, makePolicy(policy), options.cpus));
    if (options.real === true) {
      const run = await playTrace(jobs, policy, options.cpus);
      runs.push({ ...run, policy: `${policy}, for real` });
    }
  }
  const columns = process.stdout.columns || 80;
  process.stdout.write(`${runs.map((run) => ganttText(run, columns)).join('\n\n')}\n`);
  if (options.svg !== undefined) write(options.svg, ganttSvg(runs));
  return EXIT.OK;
}

function policiesOf(names: string | undefined): readonly PolicyName[] {
  if (names === undefined) return POLICY_NAMES;
  return names.split(',').map((name) => {
    const known = POLICY_NAMES.find((one) => one === name);
    if (known === undefined)
      throw new Mistake(`there is no policy '${name}': it is one of ${POLICY_NAMES.join(', ')}`);
    return known;
  });
}

function readTrace(path: string): TraceJob[] {
  let text: string;
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new Mistake(`the trace cannot be read: ${(error as Error).message}`);
  }
  try {
    return parseTrace(text);
  } catch (error) {
    if (FurcaError.is(error)) throw new Mistake((error as Error).message);
    throw error;
  }
}

function write(path: string, svg: string): void {
  try {
    writeFileSync(path, svg);
  } catch (error) {
    throw new Mistake(`the image cannot be written: ${(error as Error).message}`);
  }
}
