import type { Redis } from 'ioredis';

/** What `deliver` answers. */
export const DELIVERED = 1;
/** The chunk had a result already. */
export const REPEATED = 0;
/** The run is over, or was given up. */
export const RUN_GONE = -1;

/** One step for the engine, so that no result is there twice or half, whoever dies. */
const DELIVER = `
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('SETBIT', KEYS[2], ARGV[1], 1) == 1 then return 0 end
if ARGV[3] == '1' then
  redis.call('SET', KEYS[4], ARGV[2], 'PX', ARGV[4])
  redis.call('XADD', KEYS[3], '*', 'c', ARGV[1], 'l', '1')
else
  redis.call('XADD', KEYS[3], '*', 'c', ARGV[1], 'r', ARGV[2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return 1`;

const REFUSE = `
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
redis.call('XADD', KEYS[2], '*', 'c', ARGV[1], 'x', ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1`;

/** A result larger than this has a key of its own, in bytes. */
const LARGE = 64 * 1024;

/** Keys of a run that a delivery touches. */
export interface DeliveryKeys {
  readonly run: string;
  readonly done: string;
  readonly results: string;
  readonly large: string;
}

/** Puts a result where its caller reads it, unless the chunk has one. */
export async function deliver(
  redis: Redis,
  keys: DeliveryKeys,
  chunk: number,
  bytes: Buffer,
  keepMs: number,
): Promise<number> {
  const isLarge = bytes.length > LARGE ? 1 : 0;
  const { run, done, results, large } = keys;
  return (await redis.eval(DELIVER, 4, run, done, results, large, chunk, bytes, isLarge, keepMs)) as number;
}

/** Tells the caller that its chunk will not be run here; the chunk stays without a result. */
export async function refuse(
  redis: Redis,
  { run, results }: Pick<DeliveryKeys, 'run' | 'results'>,
  chunk: number,
  bytes: Buffer,
  keepMs: number,
): Promise<void> {
  await redis.eval(REFUSE, 2, run, results, chunk, bytes, keepMs);
}
