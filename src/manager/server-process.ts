import { FurcaError, StartError } from '../base/errors.js';
import { MANAGER_MODULE } from '../base/programs.js';
import { type PlainAddress, removeFolderOf } from '../connection/address.js';
import type { Connection } from '../connection/connection.js';
import { Listener } from '../connection/listener.js';
import { Process } from '../process/process.js';
import type { ErrorRecord } from '../wire/errors.js';
import { rebuildError } from '../wire/errors.js';
import { functionIn } from '../wire/functions.js';
import type { ServeReport, ServeSettings, serveManager } from './server/serve.js';

/** How long a server has to end by itself, and then by SIGTERM; Python's `shutdown_timeout`. */
const SHUTDOWN_MS = 1000;

/** A server that this process has started. */
export class ServerProcess {
  readonly address: PlainAddress;
  /** The address is a path that the server chose, in a folder of its own. */
  readonly #isArbitrary: boolean;
  readonly #process: Process<readonly [ServeSettings]>;
  /** The server ends when this ends: also when this process is killed. */
  readonly #lifeline: Connection<ServeReport, never>;

  private constructor(
    process: Process<readonly [ServeSettings]>,
    lifeline: Connection<ServeReport, never>,
    address: PlainAddress,
    isArbitrary: boolean,
  ) {
    this.#isArbitrary = isArbitrary;
    this.#process = process;
    this.#lifeline = lifeline;
    this.address = address;
  }

  /**
   * Starts a server; resolves once it serves.
   *
   * @throws {@link StartError} `ERR_FURCA_START_FAILED`: the process did not come up. What its initializer threw; {@link BrokenError}
   * `ERR_FURCA_BROKEN`: it cannot listen at `address`.
   */
  static async start(settings: Omit<ServeSettings, 'reportTo'>): Promise<ServerProcess> {
    await using reports = await Listener.listen<ServeReport, never>(undefined, { authKey: settings.authKey });
    const target = functionIn<typeof serveManager>(MANAGER_MODULE, 'serveManager');
    const args = [{ ...settings, reportTo: reports.address as string }] as const;
    const child = new Process({ target, args, name: 'Manager', daemon: true });
    await child.start();
    try {
      const lifeline = await Promise.race([reports.accept(), endedEarly(child)]);
      lifeline.unref();
      return new ServerProcess(child, lifeline, await addressFrom(lifeline), settings.address === null);
    } catch (error) {
      child.kill();
      await child.join();
      child.close();
      throw error;
    }
  }

  /** Removes what a server that was killed could not. */
  #sweep(): void {
    this.#process.close();
    if (this.#isArbitrary && typeof this.address === 'string') removeFolderOf(this.address);
  }

  /** Ends the process: it has a second to end by itself, one after SIGTERM, and is killed then. */
  async end(): Promise<void> {
    this.#lifeline.terminate();
    for (const next of [() => this.#process.terminate(), () => this.#process.kill()]) {
      if (await this.#hasEnded()) return;
      next();
    }
    await this.#process.join();
    this.#sweep();
  }

  async #hasEnded(): Promise<boolean> {
    try {
      await this.#process.join({ timeoutMs: SHUTDOWN_MS });
    } catch (error) {
      if (FurcaError.is(error) && error.code === 'ERR_FURCA_TIMEOUT') return false;
      throw error;
    }
    this.#sweep();
    return true;
  }
}

async function addressFrom(lifeline: Connection<ServeReport, never>): Promise<PlainAddress> {
  const report = await lifeline.recv();
  if ('failure' in report) throw rebuildError(report.failure as ErrorRecord);
  return report.address as PlainAddress;
}

async function endedEarly(child: Process<readonly [ServeSettings]>): Promise<never> {
  const exitCode = await child.sentinel;
  throw new StartError(
    `Starting the manager failed: its server ended with exit code ${exitCode} before it was up. Look at stderr for more.`,
  );
}
