import type { Ending } from '../shared/shared-object.js';

/** Something that ends once and tells all who asked. */
export class Life implements Ending {
  readonly #acts = new Set<() => void>();
  #isGone = false;

  get isGone(): boolean {
    return this.#isGone;
  }

  onGone(act: () => void): () => void {
    if (this.#isGone) {
      act();
      return () => {};
    }
    // Of its own, so that the same function can be there twice.
    const own = (): void => act();
    this.#acts.add(own);
    return () => this.#acts.delete(own);
  }

  end(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    for (const act of this.#acts) {
      this.#acts.delete(act);
      act();
    }
  }
}

/** The clients of a server: one lives as long as it has a connection open for calls. */
export class Clients {
  readonly #clients = new Map<string, { readonly life: Life; lanes: number }>();

  /** The life of the client that calls itself `name`, if it has a connection. */
  find(name: string): Ending | undefined {
    return this.#clients.get(name)?.life;
  }

  /** Notes a connection of the client `name`; with its last one the client is gone. */
  join(name: string, lane: Ending): Ending {
    let client = this.#clients.get(name);
    if (client === undefined) {
      client = { life: new Life(), lanes: 0 };
      this.#clients.set(name, client);
    }
    const joined = client;
    joined.lanes++;
    lane.onGone(() => {
      joined.lanes--;
      if (joined.lanes > 0) return;
      this.#clients.delete(name);
      joined.life.end();
    });
    return joined.life;
  }
}
