import { Queue } from 'bullmq';
import { encodeJob, type JobEnvelope, jobIdOf } from '../../src/cluster/envelopes.js';
import { Names } from '../../src/cluster/names.js';
import { digestOf, Seal } from '../../src/cluster/sealing.js';
import { encode } from '../../src/wire/codec.js';

/** Somebody who can write to the engine, and does. */
export class Forger {
  readonly names: Names;
  readonly #queue: Queue;
  #count = 1000;

  constructor(port: number, queue: string) {
    this.names = new Names(queue);
    this.#queue = new Queue(queue, {
      connection: { host: '127.0.0.1', port },
      prefix: this.names.prefix,
      skipVersionCheck: true,
    });
    this.#queue.on('error', () => {});
  }

  /** An envelope that is right but for what is changed in it, and not signed. */
  envelope(changes: Partial<JobEnvelope> = {}): JobEnvelope {
    const code = encode(['value', [], new Uint8Array()]);
    return {
      ...{
        run: 'forged',
        chunk: 0,
        attempt: 1,
        codeId: digestOf(code),
        build: '',
        isSpread: false,
        first: 0,
      },
      ...{ items: encode([1]), retries: 0, taskTimeoutMs: null, poisonAfter: 1 },
      ...changes,
    };
  }

  /** Bytes as a caller with this key would have made them. */
  sealed(envelope: JobEnvelope, key: string | undefined): Buffer {
    return new Seal(key === undefined ? undefined : Buffer.from(key)).close('job', encodeJob(envelope));
  }

  /** Puts a job into the queue. */
  async add(data: unknown, jobId: string = `forged-${this.#count++}-1`): Promise<void> {
    await this.#queue.add('forged', data, { jobId, attempts: 1 });
  }

  async addSealed(
    envelope: JobEnvelope,
    key: string | undefined,
    jobId: string = jobIdOf(envelope),
  ): Promise<void> {
    await this.add({ e: this.sealed(envelope, key).toString('base64') }, jobId);
  }

  /** Jobs in one message to the engine. */
  async addMany(all: readonly unknown[]): Promise<void> {
    await this.#queue.addBulk(
      all.map((data) => ({
        name: 'forged',
        data,
        opts: { jobId: `forged-${this.#count++}-1`, attempts: 1 },
      })),
    );
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}
