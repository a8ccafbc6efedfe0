import type { Found } from './count-tree.js';
import type { FileFacts } from './parse-file.js';

/** The largest of its kind, and the file it is in. */
export interface Largest extends Found {
  readonly path: string;
}

/** What one process has done. */
export interface Share {
  files: number;
  bytes: number;
  busyMs: number;
}

/** Adds up what the files hold, and who looked at them. */
export class Totals {
  files = 0;
  unparsed = 0;
  bytes = 0;
  bytesSent = 0;
  /** CPU time used for it. */
  cpuMs = 0;
  lines = 0;
  functions = 0;
  asyncFunctions = 0;
  awaits = 0;
  classes = 0;
  imports = 0;
  longest: Largest | null = null;
  deepest: Largest | null = null;
  readonly names: Map<string, number> = new Map();
  readonly shares: Map<number, Share> = new Map();

  add(facts: FileFacts): void {
    const { path, tree } = facts;
    this.files++;
    this.bytes += facts.bytes;
    this.bytesSent += facts.bytesSent;
    this.lines += facts.lines;
    this.cpuMs += facts.cpuMs;
    const share = this.shares.get(facts.pid) ?? { files: 0, bytes: 0, busyMs: 0 };
    this.shares.set(facts.pid, share);
    share.files++;
    share.bytes += facts.bytes;
    share.busyMs += facts.elapsedMs;
    if (tree === null) {
      this.unparsed++;
      return;
    }
    this.functions += tree.functions;
    this.asyncFunctions += tree.asyncFunctions;
    this.awaits += tree.awaits;
    this.classes += tree.classes;
    this.imports += tree.imports;
    this.longest = larger(this.longest, tree.longest, path);
    this.deepest = larger(this.deepest, tree.deepest, path);
    for (const [name, count] of tree.names) this.names.set(name, (this.names.get(name) ?? 0) + count);
  }

  /** The most used names, each with its count. */
  topNames(count: number): [string, number][] {
    return [...this.names].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, count);
  }

  /** Tells whether two runs have found the same. */
  equals(other: Totals): boolean {
    return this.fingerprint() === other.fingerprint();
  }

  private fingerprint(): string {
    const { shares: _, cpuMs: __, names, longest, deepest, ...counts } = this;
    return JSON.stringify([counts, longest?.size, deepest?.size, [...names].sort()]);
  }
}

/** Of equals the one whose path comes first, so that the order of the results does not matter. */
function larger(best: Largest | null, found: Found | null, path: string): Largest | null {
  if (found === null || found.size < (best?.size ?? 0)) return best;
  if (best !== null && found.size === best.size && best.path < path) return best;
  return { ...found, path };
}
