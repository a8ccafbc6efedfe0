import assert from 'node:assert/strict';
import { answer } from '../harness/outcome.js';
import { caseList, type ProcessCase } from './process-case.js';

const list = caseList();
const { it } = list;

export const cases: readonly ProcessCase[] = list.cases;

it('WebAssembly compiles and runs in a child', async (method) => {
  const seen = await answer(method, async () => {
    // (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
    const bytes = new Uint8Array([
      0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0,
      0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11,
    ]);
    type Add = (a: number, b: number) => number;
    interface Wasm {
      instantiate(bytes: Uint8Array): Promise<{ instance: { exports: { add: Add } } }>;
      Module: new (bytes: Uint8Array) => object;
      Instance: new (module: object) => { exports: { add: Add } };
    }
    // Node's own types have no WebAssembly without those of a browser.
    const { WebAssembly } = globalThis as unknown as { WebAssembly: Wasm };
    const { add } = (await WebAssembly.instantiate(bytes)).instance.exports;
    const later = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.add;
    let sum = 0;
    for (let i = 0; i < 100_000; i++) sum = add(sum, i) % 1_000_003;
    console.log(JSON.stringify([add(2, 3), later(4, 5), sum]));
  }, []);
  let sum = 0;
  for (let i = 0; i < 100_000; i++) sum = (sum + i) % 1_000_003;
  assert.deepEqual(seen, [5, 9, sum]);
});

it('fetch and an HTTP server work in a child', async (method) => {
  const seen = await answer(method, async () => {
    const { createServer } = await import('node:http');
    const { once } = (await import('node:events')).default;
    const server = createServer((request, response) => response.end(`you asked for ${request.url}`));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as { port: number };
    const answers: string[] = [];
    for (const path of ['/a', '/b'])
      answers.push(await (await fetch(`http://127.0.0.1:${port}${path}`)).text());
    server.closeAllConnections();
    server.close();
    console.log(JSON.stringify(answers));
  }, []);
  assert.deepEqual(seen, ['you asked for /a', 'you asked for /b']);
});

it('import() of files, built-in modules and data URLs, and require, work in a child', async (method) => {
  const seen = await answer(
    method,
    async (base: string, text: string) => {
      const { basename } = await import('node:path');
      const data = (await import(text)) as { default: number };
      const { createRequire } = await import('node:module');
      const { parse } = createRequire(base)('acorn') as typeof import('acorn');
      console.log(
        JSON.stringify([basename('/a/b.c'), data.default, parse('1 + 1', { ecmaVersion: 2022 }).type]),
      );
    },
    [import.meta.url, 'data:text/javascript,export default 6 * 7'],
  );
  assert.deepEqual(seen, ['b.c', 42, 'Program']);
});

it('fs/promises works in a child', async (method) => {
  const seen = await answer(method, async () => {
    const { mkdtemp, readFile, readdir, rm, writeFile } = await import('node:fs/promises');
    const { tmpdir } = await import('node:os');
    const folder = await mkdtemp(`${tmpdir()}/furca-fs-`);
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((n) => writeFile(`${folder}/${n}`, `file ${n}`)));
    const names = await readdir(folder);
    const texts = await Promise.all(names.map((name) => readFile(`${folder}/${name}`, 'utf8')));
    await rm(folder, { recursive: true });
    console.log(JSON.stringify(texts));
  }, []);
  assert.deepEqual(
    seen,
    [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `file ${n}`),
  );
});

it('child_process works in a child, sync and async, with exit codes', async (method) => {
  const seen = await answer(method, async () => {
    const { execFile, execFileSync, spawn } = await import('node:child_process');
    const { promisify } = await import('node:util');
    const { once } = (await import('node:events')).default;
    const sync = execFileSync('echo', ['one'], { encoding: 'utf8' });
    const { stdout } = await promisify(execFile)('echo', ['two']);
    const [code] = (await once(spawn('/bin/sh', ['-c', 'exit 7']), 'exit')) as [number];
    const [, signal] = (await once(spawn('/bin/sh', ['-c', 'kill -9 $$']), 'exit')) as [null, string];
    console.log(JSON.stringify([sync, stdout, code, signal]));
  }, []);
  assert.deepEqual(seen, ['one\n', 'two\n', 7, 'SIGKILL']);
});

it('Timers, immediates, ticks and microtasks run in their order in a child', async (method) => {
  const seen = await answer(method, async () => {
    const order: string[] = [];
    const { setTimeout: pause } = await import('node:timers/promises');
    const ticks = new Promise<void>((resolve) => {
      setImmediate(() => {
        order.push('immediate');
        resolve();
      });
    });
    process.nextTick(() => order.push('tick'));
    queueMicrotask(() => order.push('microtask'));
    await ticks;
    await pause(2);
    order.push('timer');
    let rounds = 0;
    await new Promise<void>((resolve) => {
      const interval = setInterval(() => {
        if (++rounds < 3) return;
        clearInterval(interval);
        resolve();
      }, 1);
    });
    console.log(JSON.stringify([...order.sort(), rounds]));
  }, []);
  assert.deepEqual(seen, ['immediate', 'microtask', 'tick', 'timer', 3]);
});

it('The thread pool serves a child: crypto.pbkdf2, zlib and dns.lookup', async (method) => {
  const seen = await answer(method, async () => {
    const { pbkdf2 } = await import('node:crypto');
    const { gzip, gunzip, brotliCompress, brotliDecompress } = await import('node:zlib');
    const { lookup } = await import('node:dns');
    const { promisify } = await import('node:util');
    const keys = await Promise.all(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((word) => promisify(pbkdf2)(word, 'salt', 1000, 8, 'sha256')),
    );
    const long = Buffer.alloc(100_000, 'furca');
    const unzipped = await promisify(gunzip)(await promisify(gzip)(long));
    const brotli = await promisify(brotliDecompress)(await promisify(brotliCompress)(long));
    const { address } = await promisify(lookup)('localhost');
    console.log(
      JSON.stringify([
        keys[0]?.toString('hex'),
        long.equals(unzipped),
        long.equals(brotli),
        address.length > 0,
      ]),
    );
  }, []);
  const { pbkdf2Sync } = await import('node:crypto');
  assert.deepEqual(seen, [pbkdf2Sync('a', 'salt', 1000, 8, 'sha256').toString('hex'), true, true, true]);
});

it('A child collects garbage and runs hot code without harm', async (method) => {
  const seen = await answer(method, () => {
    let kept: number[][] = [];
    let sum = 0;
    for (let i = 0; i < 300_000; i++) {
      kept.push([i, i + 1, i + 2]);
      if (kept.length > 50_000) kept = kept.slice(25_000);
      sum = (sum * 31 + i) % 1_000_003;
    }
    console.log(JSON.stringify([kept.length > 0, sum]));
  }, []);
  let sum = 0;
  for (let i = 0; i < 300_000; i++) sum = (sum * 31 + i) % 1_000_003;
  assert.deepEqual(seen, [true, sum]);
});
