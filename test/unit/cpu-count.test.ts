import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import {
  countAllowed,
  cpuCount,
  foldersUpwards,
  parseCfs,
  parseCgroups,
  parseCpuMax,
  parseMounts,
} from '../../src/process/cpu-count.js';

test('cpuCount is a whole number, at least 1, and never more than the affinity mask allows', () => {
  const count = cpuCount();
  assert.ok(Number.isInteger(count) && count >= 1);
  assert.ok(count <= Math.max(availableParallelism(), countAllowed(statusOfThisProcess())));
});

test('cpuCount is 1 in a process bound to one CPU', (t) => {
  const first =
    /\d+/.exec(/^Cpus_allowed_list:\s*(.+)$/m.exec(statusOfThisProcess())?.[1] ?? '0')?.[0] ?? '0';
  if (spawnSync('taskset', ['-c', first, 'true']).status !== 0) return t.skip('taskset is not here');
  const url = new URL('../../src/process/cpu-count.js', import.meta.url).href;
  const program = `import { cpuCount } from ${JSON.stringify(url)}; console.log(cpuCount());`;
  const args = ['-c', first, process.execPath, '--input-type=module', '--eval', program];
  assert.equal(execFileSync('taskset', args, { encoding: 'utf8', timeout: 60_000 }).trim(), '1');
});

test('countAllowed counts single CPUs and ranges', () => {
  assert.equal(countAllowed('Cpus_allowed:\tf0f\nCpus_allowed_list:\t0-3,8-11\nMems_allowed:\t1\n'), 8);
  assert.equal(countAllowed('Cpus_allowed_list:\t5\n'), 1);
  assert.equal(countAllowed('Cpus_allowed_list:\t0,2,4-6\n'), 5);
  assert.equal(countAllowed('Name:\tnode\n'), 0);
});

test('parseCgroups finds the group of version 2', () => {
  assert.deepEqual(parseCgroups('0::/user.slice/user-1000.slice/session-2.scope\n'), {
    unified: '/user.slice/user-1000.slice/session-2.scope',
    cpu: null,
  });
});

test('parseCgroups finds the CPU controller of version 1 beside others, and colons in a path', () => {
  const text = '9:cpuset:/a\n4:cpu,cpuacct:/docker/c0:ffee\n3:cpuacct:/b\n1:name=systemd:/c\n0::/\n';
  assert.deepEqual(parseCgroups(text), { unified: '/', cpu: '/docker/c0:ffee' });
});

test('parseMounts finds version 2, and of version 1 only what limits CPU time', () => {
  const text = [
    '25 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw',
    '31 23 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate',
    '34 23 0:30 /docker/c0ffee /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:14 - cgroup cgroup rw,cpu,cpuacct',
    '35 23 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset',
    '36 23 0:32 / /mnt/with\\040blank rw - cgroup cgroup rw,cpu',
    '',
  ].join('\n');
  assert.deepEqual(parseMounts(text), [
    { version: 2, root: '/', folder: '/sys/fs/cgroup/unified' },
    { version: 1, root: '/docker/c0ffee', folder: '/sys/fs/cgroup/cpu,cpuacct' },
    { version: 1, root: '/', folder: '/mnt/with blank' },
  ]);
});

test('foldersUpwards names the group and all its parents', () => {
  const mount = { version: 2, root: '/', folder: '/sys/fs/cgroup' } as const;
  assert.deepEqual(foldersUpwards(mount, '/a.slice/b.service'), [
    '/sys/fs/cgroup/a.slice/b.service',
    '/sys/fs/cgroup/a.slice',
    '/sys/fs/cgroup',
  ]);
  assert.deepEqual(foldersUpwards(mount, '/'), ['/sys/fs/cgroup']);
});

test('foldersUpwards sees through a container whose mount shows its own group only', () => {
  const mount = { version: 1, root: '/docker/c0ffee', folder: '/sys/fs/cgroup/cpu' } as const;
  assert.deepEqual(foldersUpwards(mount, '/docker/c0ffee'), ['/sys/fs/cgroup/cpu']);
  assert.deepEqual(foldersUpwards(mount, '/docker/c0ffee/inner'), [
    '/sys/fs/cgroup/cpu/inner',
    '/sys/fs/cgroup/cpu',
  ]);
  assert.deepEqual(foldersUpwards(mount, '/docker/c0ffee2'), ['/sys/fs/cgroup/cpu']);
});

test('foldersUpwards stays inside the mount when the process was moved out of its namespace', () => {
  const mount = { version: 2, root: '/', folder: '/sys/fs/cgroup' } as const;
  assert.deepEqual(foldersUpwards(mount, '/../../other'), ['/sys/fs/cgroup']);
});

test('quotas become CPUs, and no quota or an unreadable one becomes Infinity', () => {
  assert.equal(parseCpuMax('150000 100000\n'), 1.5);
  assert.equal(parseCpuMax('max 100000\n'), Number.POSITIVE_INFINITY);
  assert.equal(parseCpuMax(''), Number.POSITIVE_INFINITY);
  assert.equal(parseCfs('50000\n', '100000\n'), 0.5);
  assert.equal(parseCfs('-1\n', '100000\n'), Number.POSITIVE_INFINITY);
  assert.equal(parseCfs('', ''), Number.POSITIVE_INFINITY);
});

function statusOfThisProcess(): string {
  return execFileSync('cat', [`/proc/${process.pid}/status`], { encoding: 'latin1' });
}
