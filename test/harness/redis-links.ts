import { spawnSync } from 'node:child_process';
import { TestRedis } from './redis.js';
import { TcpProxy } from './tcp-proxy.js';

/** A Redis behind something that can be cut: while it is, nothing passes, and nobody is told. */
export interface LinkedRedis {
  readonly redis: TestRedis;
  /** Where callers and workers reach it. */
  readonly url: string;
  readonly kind: string;
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

function ip(...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

/**
 * A Redis in a network namespace of its own, as on another machine, at the other end of a cable.
 *
 * @throws Error where the system does not permit it; nothing is left of it then.
 */
export async function redisInNamespace(): Promise<LinkedRedis> {
  const name = `furca-${process.pid}`;
  const [outer, inner] = [`fo${process.pid}`, `fi${process.pid}`];
  const network = `10.213.${process.pid % 256}`;
  const inside = (...args: readonly string[]): void => ip('-n', name, ...args);
  const remove = (): void => {
    // The cable goes with the namespace that has its other end.
    spawnSync('ip', ['netns', 'delete', name]);
    spawnSync('ip', ['link', 'delete', outer]);
  };
  try {
    ip('netns', 'add', name);
    ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', name);
    ip('address', 'add', `${network}.1/30`, 'dev', outer);
    ip('link', 'set', outer, 'up');
    inside('address', 'add', `${network}.2/30`, 'dev', inner);
    inside('link', 'set', inner, 'up');
    const enter = ['ip', 'netns', 'exec', name];
    const redis = await TestRedis.start({ host: `${network}.2`, enter });
    return {
      redis,
      url: redis.url,
      kind: 'a cable between network namespaces',
      cut: () => inside('link', 'set', inner, 'down'),
      mend: () => inside('link', 'set', inner, 'up'),
      close: async () => {
        await redis.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** A Redis behind a proxy that can hold all bytes. */
export async function redisBehindProxy(): Promise<LinkedRedis> {
  const redis = await TestRedis.start();
  const proxy = await TcpProxy.to(redis.port);
  return {
    redis,
    url: `redis://127.0.0.1:${proxy.port}`,
    kind: 'a proxy that holds all bytes',
    cut: () => proxy.hold(),
    mend: () => proxy.release(),
    close: async () => {
      await proxy.close();
      await redis.stop();
    },
  };
}
