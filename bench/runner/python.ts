import { spawnSync } from 'node:child_process';

/** The interpreter of the CPython rows; `PYTHON` names another one. */
export function pythonCommand(): string {
  return process.env['PYTHON'] ?? 'python3';
}

/** `Python 3.x.y`, or `null` when there is none on this machine. */
export function pythonVersion(): string | null {
  const probe = spawnSync(
    pythonCommand(),
    ['-c', 'import sys; print(sys.implementation.name, sys.version.split()[0])'],
    {
      encoding: 'utf8',
      timeout: 10_000,
    },
  );
  return probe.status === 0 ? probe.stdout.trim() : null;
}
