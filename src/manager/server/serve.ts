import type { Address } from '../../connection/address.js';
import { Client } from '../../connection/client.js';
import { recordError } from '../../wire/errors.js';
import { type AnyFunction, type FunctionDescriptor, loadFunction } from '../../wire/functions.js';
import type { SharedType } from './built-in-types.js';
import { ManagerServer } from './server.js';

/** A registered type, as it travels to the server. */
export interface TypeRecord {
  readonly typeid: string;
  readonly make: FunctionDescriptor;
  readonly isClass: boolean;
  readonly exposed: readonly string[] | null;
  readonly methodToTypeid: Readonly<Record<string, string>> | null;
}

/** What a server is started with. */
export interface ServeSettings {
  readonly address: Address | null;
  readonly authKey: Uint8Array;
  /** Where the manager that started it waits to be told the address; the end of that connection ends the server. */
  readonly reportTo: string;
  readonly types: readonly TypeRecord[];
  readonly initializer: FunctionDescriptor | null;
  readonly initArgs: readonly unknown[];
}

/** What the server says once it is up, or cannot be. */
export type ServeReport = { readonly address: Address } | { readonly failure: unknown };

/** The life of a server process: serves until it is told to end, or its manager dies. */
export async function serveManager(settings: ServeSettings): Promise<void> {
  // Ctrl-C goes to the whole terminal; the manager decides when its server ends, as in Python.
  process.on('SIGINT', () => {});
  const manager = await Client<never, ServeReport>(settings.reportTo, { authKey: settings.authKey });
  let server: ManagerServer;
  try {
    const types = await loadTypes(settings.types);
    if (settings.initializer !== null) {
      const initialize = (await loadFunction(settings.initializer)) as (
        ...args: readonly unknown[]
      ) => unknown;
      await initialize(...settings.initArgs);
    }
    server = await ManagerServer.listen(settings.address ?? undefined, settings.authKey, types);
  } catch (error) {
    await manager.send({ failure: recordError(error) });
    await manager.close();
    return;
  }
  await manager.send({ address: server.address });
  await Promise.race([server.ended, manager.poll({ timeoutMs: Number.POSITIVE_INFINITY })]);
  await server.close();
  await manager.close();
}

async function loadTypes(records: readonly TypeRecord[]): Promise<Map<string, SharedType>> {
  const types = new Map<string, SharedType>();
  for (const { typeid, make, isClass, exposed, methodToTypeid } of records) {
    const loaded = (await loadFunction(make)) as AnyFunction;
    types.set(typeid, {
      make: (args, named) =>
        makeWith(loaded, isClass, Object.keys(named).length > 0 ? [...args, named] : args),
      exposed: exposed ?? undefined,
      methodToTypeid: methodToTypeid ?? undefined,
    });
  }
  return types;
}

function makeWith(maker: AnyFunction, isClass: boolean, args: readonly unknown[]): unknown {
  if (isClass) return new (maker as unknown as new (...args: readonly unknown[]) => unknown)(...args);
  return (maker as (...args: readonly unknown[]) => unknown)(...args);
}
