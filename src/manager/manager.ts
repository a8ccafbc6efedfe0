import type { SyncManager, SyncManagerOptions } from './sync-manager.js';

/**
 * Starts a server process with the usual types and resolves with its manager: Python's `multiprocessing.Manager()`.
 *
 * Errors as {@link BaseManager.start}.
 *
 * @example
 * await using manager = await Manager();
 * const dict = await manager.dict({ a: 1 });
 * await dict.set('b', 2);
 * await dict.size(); // => 2
 */
export async function Manager(options: SyncManagerOptions = {}): Promise<SyncManager> {
  // Only now: sockets, handshakes and pickles are of no use to a program that has no manager.
  const { SyncManager } = await import('./sync-manager.js');
  const manager = new SyncManager(options);
  await manager.start();
  return manager;
}
