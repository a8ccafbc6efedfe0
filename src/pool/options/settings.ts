import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { checkedStartMethod, defaultStartMethod } from '../../process/methods.js';
import type { StartMethod } from '../../process/start-request.js';
import type { CarriedStorage } from '../../wire/async-context.js';
import { pack } from '../../wire/family-message.js';
import { packFunction } from '../../wire/functions.js';
import type { BodyKind } from '../crew/worker-body.js';
import type { Initializer } from '../crew/worker-link.js';
import { badOption } from '../failures.js';
import type { SchedulingPolicy } from '../schedule/contract.js';
import { makePolicy, POLICY_NAMES } from '../schedule/policies.js';
import { checkedRetries, checkedTaskTimeout } from './call-plan.js';
import type { DispatchSettings } from './dispatch-settings.js';
import type { PoolOptions } from './pool-options.js';

const NEVER = Number.POSITIVE_INFINITY;
/** Values of a stream that may wait to be taken. */
const STREAM_AHEAD = 64;
/** Share of the memory that is there which `'cgroup'` allows the workers. */
const BUDGET_SHARE = 0.9;

/** Settings that only furca's own makers of pools choose. */
export interface InnerOptions {
  readonly bodies: BodyKind;
  readonly isOnDemand: boolean;
  readonly sendsAhead: boolean;
}

/**
 * What a pool's options come to; nothing has happened when it throws.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`; {@link NotSendableError}: the initializer cannot travel.
 */
export function settingsOf(size: number, options: PoolOptions, inner: InnerOptions): DispatchSettings {
  const { name = 'Pool', stderr = 'tee', trace } = options;
  const { isThread } = inner.bodies;
  if (typeof name !== 'string') throw badOption('name', 'a string');
  if (stderr !== 'tee' && stderr !== 'inherit') throw badOption('stderr', "'tee' or 'inherit'");
  if (trace !== undefined && typeof trace !== 'string') throw badOption('trace', 'a path');
  if (isThread) refuseOfThreads(options);
  const maxMemoryPerChildBytes = positive('maxMemoryPerChildBytes', options.maxMemoryPerChildBytes);
  const flags = flagsOf(options);
  const startMethod = startMethodOf(options, isThread ? [] : flags);
  const policy = policyOf(options.schedule);
  return {
    name: `${name}Worker`,
    bodies: inner.bodies,
    startMethod,
    shownMethod: isThread ? 'thread' : startMethod,
    flags,
    resourceLimits: options.resourceLimits ?? {},
    isStderrRead: stderr === 'tee',
    initializer: initializerOf(options),
    poolKey: randomBytes(8).toString('hex'),
    size,
    retries: checkedRetries(options.retries ?? 0),
    backoffMs: atLeastZero('backoffMs', options.backoffMs, 0),
    poisonAfter: count('poisonAfter', options.poisonAfter),
    taskTimeoutMs: checkedTaskTimeout(options.taskTimeoutMs ?? NEVER),
    abortGraceMs: atLeastZero('abortGraceMs', options.abortGraceMs, 1000),
    killGraceMs: atLeastZero('killGraceMs', options.killGraceMs, 500),
    maxTasksPerChild: count('maxTasksPerChild', options.maxTasksPerChild),
    idleTimeoutMs: positive('idleTimeoutMs', options.idleTimeoutMs),
    isOnDemand: inner.isOnDemand,
    sendsAhead: inner.sendsAhead && policy === undefined,
    policy,
    maxStopped: count('maxStopped', options.maxStopped ?? size * 2),
    maxMemoryPerChildBytes,
    isWeighed: maxMemoryPerChildBytes !== NEVER,
    memoryBudgetBytes: budgetOf(options.memoryBudgetBytes),
    isTraced: trace !== undefined,
    streamAhead: STREAM_AHEAD,
    carry: carryOf(options),
  };
}

/** What only processes can have. */
function refuseOfThreads(options: PoolOptions): void {
  if (options.startMethod !== undefined)
    throw badOption('startMethod', 'left out where the workers are threads');
  if (options.memoryBudgetBytes !== undefined)
    throw badOption(
      'memoryBudgetBytes',
      'left out where the workers are threads: they share the memory of this process',
    );
}

function carryOf({ carry = [] }: PoolOptions): readonly CarriedStorage[] {
  if (Array.isArray(carry) && carry.every((one) => one instanceof AsyncLocalStorage)) return carry;
  throw badOption('carry', 'an array of AsyncLocalStorage');
}

function positive(name: string, value: number | undefined): number {
  if (value === undefined) return NEVER;
  if (typeof value === 'number' && value > 0) return value;
  throw badOption(name, 'above 0');
}

function atLeastZero(name: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (typeof value === 'number' && value >= 0) return value;
  throw badOption(name, 'at least 0');
}

function count(name: string, value: number | undefined): number {
  if (value === undefined || value === NEVER) return NEVER;
  if (Number.isInteger(value) && value >= 1) return value;
  throw badOption(name, 'a whole number, at least 1');
}

function flagsOf({ resourceLimits }: PoolOptions): string[] {
  if (resourceLimits === undefined) return [];
  if (typeof resourceLimits !== 'object' || resourceLimits === null)
    throw badOption('resourceLimits', 'an object');
  const { maxOldGenerationSizeMb, maxYoungGenerationSizeMb, stackSizeMb } = resourceLimits;
  const flags: string[] = [];
  const add = (name: string, flag: string, value: number | undefined, unit: number): void => {
    if (value !== undefined) flags.push(`--${flag}=${Math.round(positive(name, value) * unit)}`);
  };
  add('resourceLimits.maxOldGenerationSizeMb', 'max-old-space-size', maxOldGenerationSizeMb, 1);
  // The young generation has three parts of which this flag sets one.
  add('resourceLimits.maxYoungGenerationSizeMb', 'max-semi-space-size', maxYoungGenerationSizeMb, 1 / 3);
  add('resourceLimits.stackSizeMb', 'stack-size', stackSizeMb, 984);
  return flags;
}

function startMethodOf({ startMethod }: PoolOptions, flags: readonly string[]): StartMethod {
  const method = checkedStartMethod(startMethod ?? defaultStartMethod());
  if (flags.length === 0 || method !== 'fork') return method;
  if (startMethod === undefined) return 'forkserver';
  throw badOption(
    'startMethod',
    "'forkserver' or 'spawn' where resourceLimits are set: a process has the limits of the one that it was forked from",
  );
}

function policyOf(schedule: PoolOptions['schedule']): SchedulingPolicy | undefined {
  if (schedule === undefined || schedule === 'fcfs') return undefined;
  if (typeof schedule === 'string' && POLICY_NAMES.includes(schedule)) return makePolicy(schedule);
  const isPolicy =
    typeof schedule === 'object' &&
    schedule !== null &&
    ['add', 'peek', 'remove'].every(
      (name) => typeof (schedule as unknown as Record<string, unknown>)[name] === 'function',
    );
  if (isPolicy) return schedule as SchedulingPolicy;
  throw badOption('schedule', `one of ${POLICY_NAMES.join(', ')}, or a policy with add, peek and remove`);
}

function initializerOf({ initializer, initArgs = [] }: PoolOptions): Initializer | undefined {
  if (!Array.isArray(initArgs)) throw badOption('initArgs', 'an array');
  if (initializer === undefined) {
    if (initArgs.length > 0) throw badOption('initArgs', 'given together with an initializer');
    return undefined;
  }
  if (typeof initializer !== 'function') throw badOption('initializer', 'a function');
  return { packed: packFunction(initializer, 'initializer'), args: pack(initArgs, 'initArgs') };
}

function budgetOf(budget: PoolOptions['memoryBudgetBytes']): number {
  if (budget !== 'cgroup') return positive('memoryBudgetBytes', budget);
  const limits = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'].map(limitIn);
  return Math.min(totalmem(), ...limits) * BUDGET_SHARE;
}

/** Within a container its own control group is the root of what it sees. */
function limitIn(path: string): number {
  try {
    const text = readFileSync(path, 'latin1').trim();
    return /^\d+$/.test(text) ? Number(text) : NEVER;
  } catch {
    return NEVER;
  }
}
