import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Where the kernel tells a process which CPUs it may run on, and which control groups it is in. */
const STATUS = '/proc/self/status';
const CGROUPS = '/proc/self/cgroup';
const MOUNTS = '/proc/self/mountinfo';

/**
 * Number of CPUs this process may use, at least 1: what `new Pool()` takes for its size.
 *
 * It is the smaller of two: the CPUs in the affinity mask (`taskset`, cpusets: sched_setaffinity(2)), and the CPU time that the
 * control groups of this process and all their parents allow (`docker run --cpus`, Kubernetes limits, systemd `CPUQuota=`), rounded
 * up: half a CPU is one. That time is `cpu.max` in version 2 (https://docs.kernel.org/admin-guide/cgroup-v2.html) and
 * `cpu.cfs_quota_us` / `cpu.cfs_period_us` in version 1 (https://docs.kernel.org/scheduler/sched-bwc.html). What cannot be
 * read does not count. Read anew at each call, for both can change; never throws.
 *
 * @example
 * cpuCount() >= 1; // => true
 */
export function cpuCount(): number {
  return Math.max(1, Math.min(affinityCount(), Math.ceil(cgroupLimit())));
}

/** `os.availableParallelism()` rounds quotas down in newer versions of Node, and weighs in shares: the mask itself is asked first. */
function affinityCount(): number {
  const counted = countAllowed(read(STATUS));
  return counted > 0 ? counted : availableParallelism();
}

function cgroupLimit(): number {
  const cgroups = parseCgroups(read(CGROUPS));
  let limit = Number.POSITIVE_INFINITY;
  for (const mount of cpuMounts()) {
    const path = mount.version === 2 ? cgroups.unified : cgroups.cpu;
    if (path === null) continue;
    for (const folder of foldersUpwards(mount, path)) limit = Math.min(limit, quotaOf(folder, mount.version));
  }
  return limit;
}

function quotaOf(folder: string, version: 1 | 2): number {
  if (version === 2) return parseCpuMax(read(`${folder}/cpu.max`));
  return parseCfs(read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`));
}

let mounts: readonly CgroupMount[] | undefined;

/** Kept: a list of mounts can be long, and control groups are mounted once, when the system starts. */
function cpuMounts(): readonly CgroupMount[] {
  mounts ??= parseMounts(read(MOUNTS));
  return mounts;
}

function read(path: string): string {
  try {
    // The root group has no `cpu.max`: asking first is cheaper than an error.
    return existsSync(path) ? readFileSync(path, 'latin1') : '';
  } catch {
    return '';
  }
}

/** The CPUs that a text such as `Cpus_allowed_list: 0-3,8` in /proc/self/status names; 0 when it has no such line. */
export function countAllowed(status: string): number {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)/m.exec(status)?.[1] ?? '';
  let count = 0;
  for (const range of list.split(',')) {
    const [first = '', last = first] = range.split('-');
    if (first !== '') count += Number(last) - Number(first) + 1;
  }
  return count;
}

/** The groups of a process: in the one hierarchy of version 2, and in the version 1 hierarchy that limits CPU time. */
export interface OwnCgroups {
  readonly unified: string | null;
  readonly cpu: string | null;
}

/** Reads /proc/self/cgroup: lines of `number:controllers:path`, see cgroups(7). */
export function parseCgroups(text: string): OwnCgroups {
  let unified: string | null = null;
  let cpu: string | null = null;
  for (const line of text.split('\n')) {
    const [, hierarchy, controllers = '', path = ''] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (hierarchy === '0' && controllers === '') unified = path;
    else if (controllers.split(',').includes('cpu')) cpu = path;
  }
  return { unified, cpu };
}

/** A place where control groups that can limit CPU time are mounted. */
export interface CgroupMount {
  readonly version: 1 | 2;
  /** The group that is seen at `folder`; in a container this need not be the topmost. */
  readonly root: string;
  readonly folder: string;
}

/** Reads /proc/self/mountinfo, see proc_pid_mountinfo(5): `… root folder options … - type source superOptions`. */
export function parseMounts(text: string): CgroupMount[] {
  const found: CgroupMount[] = [];
  for (const line of text.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [type, , options = ''] = after.split(' ');
    const version = type === 'cgroup2' ? 2 : 1;
    if (version === 1 && !(type === 'cgroup' && options.split(',').includes('cpu'))) continue;
    const [, , , root = '/', folder = ''] = before.split(' ').map(unescapeField);
    found.push({ version, root, folder });
  }
  return found;
}

/** Blanks in a path are written as octal numbers. */
function unescapeField(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** The folders of group `path` and of all its parents that are visible at `mount`, from the inside out. */
export function foldersUpwards(mount: CgroupMount, path: string): string[] {
  const inside = pathInside(mount.root, path);
  const folders: string[] = [];
  for (let rest = inside; rest !== ''; rest = rest.slice(0, rest.lastIndexOf('/'))) {
    folders.push(mount.folder + rest);
  }
  folders.push(mount.folder);
  return folders;
}

/** `path` as seen from `root`; empty where it is the root or lies outside, as when a process was moved out of its namespace. */
function pathInside(root: string, path: string): string {
  const base = root === '/' ? '' : root;
  if (!path.startsWith(`${base}/`) || path.split('/').includes('..')) return '';
  const inside = path.slice(base.length);
  return inside === '/' ? '' : inside;
}

/** CPUs that a `cpu.max` such as `150000 100000` allows; `Infinity` for `max` and for what is no such text. */
export function parseCpuMax(text: string): number {
  const [quota = '', period = ''] = text.trim().split(/\s+/);
  return ratio(quota, period);
}

/** CPUs that version 1's quota and period allow; a quota of -1 is none. */
export function parseCfs(quota: string, period: string): number {
  return ratio(quota.trim(), period.trim());
}

function ratio(quota: string, period: string): number {
  const cpus = Number(quota) / Number(period);
  return quota !== '' && cpus > 0 ? cpus : Number.POSITIVE_INFINITY;
}
