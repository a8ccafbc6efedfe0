import { randomBytes } from 'node:crypto';
import { promises as dns } from 'node:dns';
import { mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { isIPv6 } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { badArgument } from './failures.js';

/** Where a listener is: the path of a Unix socket, or host and port of TCP (as an object, or as Python's pair). */
export type Address = string | HostAndPort | readonly [host: string, port: number];

/** An address of TCP. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Kinds of address, named as in Python. */
export type AddressFamily = 'AF_INET' | 'AF_UNIX';

/** An address in the form in which furca gives it. */
export type PlainAddress = string | HostAndPort;

/** Bytes of `sun_path`, less one for the NUL; see unix(7). A longer path would be cut without a word. */
const MAX_PATH_BYTES = 107;
const MAX_PORT = 65_535;

/**
 * Reads an address.
 *
 * @throws {@link UsageError} `ERR_FURCA_INVALID_ARGUMENT`.
 */
export function checkedAddress(doing: string, address: unknown, family: unknown): PlainAddress {
  if (family !== undefined && family !== 'AF_INET' && family !== 'AF_UNIX') {
    throw badArgument(doing, 'family', "'AF_INET' or 'AF_UNIX'");
  }
  const isPath = typeof address === 'string';
  if (family !== undefined && (family === 'AF_UNIX') !== isPath) {
    throw badArgument(
      doing,
      'address',
      family === 'AF_UNIX' ? 'a path, with AF_UNIX' : 'host and port, with AF_INET',
    );
  }
  return isPath ? checkedPath(doing, address) : checkedHostAndPort(doing, address);
}

function checkedPath(doing: string, path: string): string {
  const isFit = path !== '' && !path.includes('\0') && Buffer.byteLength(path) <= MAX_PATH_BYTES;
  if (isFit && !path.startsWith('\\\\')) return path;
  throw badArgument(doing, 'address', `a path of 1 to ${MAX_PATH_BYTES} bytes without NUL`);
}

function checkedHostAndPort(doing: string, address: unknown): HostAndPort {
  const { host, port } = (
    Array.isArray(address) ? { host: address[0], port: address[1] } : (address ?? {})
  ) as { readonly host?: unknown; readonly port?: unknown };
  if (
    typeof host !== 'string' ||
    !Number.isInteger(port) ||
    (port as number) < 0 ||
    (port as number) > MAX_PORT
  ) {
    throw badArgument(doing, 'address', `a path, or { host, port } with a port up to ${MAX_PORT}`);
  }
  return { host, port: port as number };
}

/** An address nobody else has: a path in a folder that only this user can enter, or a free port of localhost. */
export function arbitraryAddress(family: AddressFamily): PlainAddress {
  if (family === 'AF_INET') return { host: 'localhost', port: 0 };
  const folder = mkdtempSync(join(tmpdir(), 'furca-'));
  return join(folder, `listener-${randomBytes(4).toString('hex')}`);
}

/** Removes the folder that {@link arbitraryAddress} made, with the socket if it is still there. */
export function removeFolderOf(path: string): void {
  try {
    rmSync(path, { force: true });
    rmdirSync(dirname(path));
  } catch {
    // Someone put something else there: it is not ours to remove.
  }
}

/** Names are looked up as IPv4, which is what AF_INET means; an address may be spelt as IPv6. */
export function familyOf(host: string): { readonly family: 4 | 6 } {
  return { family: isIPv6(host) ? 6 : 4 };
}

/** The numeric address of a host to listen at. */
export async function numericHost(host: string): Promise<string> {
  if (host === '') return '0.0.0.0';
  return (await dns.lookup(host, familyOf(host))).address;
}

/** What a socket or server of Node says of its address. */
export function plainAddress(address: string | Partial<AddressInfo> | null): PlainAddress | null {
  if (typeof address === 'string') return address;
  if (address?.address === undefined || address.port === undefined) return null;
  return { host: address.address, port: address.port };
}

export function showAddress(address: PlainAddress): string {
  return typeof address === 'string' ? address : `${address.host}:${address.port}`;
}
