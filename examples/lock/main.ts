// Three processes append to one file, a hundred lines each. With the lock around it each writes all of its lines
// in one go, and nothing mixes.
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lock, Process } from 'furca';

async function func(lock: Lock, path: string): Promise<void> {
  const { appendFileSync } = await import('node:fs');
  await lock.acquire();
  for (let i = 0; i < 100; i++) appendFileSync(path, `${i}+++${process.pid}\n`);
  lock.release();
}

console.log('main:', process.pid, process.ppid);
const folder = mkdtempSync(join(tmpdir(), 'furca-'));
const path = join(folder, '1.txt');
appendFileSync(path, '');
const lock = new Lock();
const processes = [1, 2, 3].map(() => new Process({ target: func, args: [lock, path] }));
await Promise.all(processes.map((p) => p.start()));
await Promise.all(processes.map((p) => p.join()));

const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
const writers = lines.map((line) => line.split('+++')[1]);
const changes = writers.filter((writer, at) => writer !== writers[at - 1]).length;
console.log('lines:', lines.length);
console.log('writers, one after the other:', changes);
rmSync(folder, { recursive: true });
