import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { COMMAND, fixture } from '../fixtures/cli-command.js';

const HAS_SCRIPT = spawnSync('script', ['--version']).status === 0;

/** Runs the command on a terminal; `redirect` is shell for where its streams go. */
function onTerminal(args: string, redirect = ''): { status: number | null; screen: string } {
  const line = `'${process.execPath}' '${COMMAND}' map '${fixture('cli-length.js')}' ${args} ${redirect}`;
  const env = { ...process.env, CI: undefined, TERM: 'xterm', NODE_OPTIONS: '' };
  const { status, stdout } = spawnSync('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    encoding: 'utf8',
    env,
    input: '',
    timeout: 60_000,
  });
  return { status, screen: stdout };
}

test('furca map shows its progress on a terminal and takes it away again', { skip: !HAS_SCRIPT }, () => {
  const { status, screen } = onTerminal('a bb ccc', '>/dev/null');
  assert.equal(status, 0);
  assert.match(screen, /0 of 3/);
  assert.ok(screen.endsWith('\u001B[0K'));
});

test('furca map writes whole result lines on the terminal that shows its progress', {
  skip: !HAS_SCRIPT,
}, () => {
  const { status, screen } = onTerminal('a bb ccc');
  assert.equal(status, 0);
  for (const line of ['1', '2', '3']) assert.match(screen, new RegExp(`(^|\\u001B\\[0K|\\n)${line}\\r\\n`));
});

test('furca map shows no progress with --no-progress', { skip: !HAS_SCRIPT }, () => {
  assert.deepEqual(onTerminal('a bb --no-progress'), { status: 0, screen: '1\r\n2\r\n' });
});
