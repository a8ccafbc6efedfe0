import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { globSync } from 'tinyglobby';
import { root, sources } from './sources.js';

/** All pages of the repository. */
const PAGES = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md', 'bench/*.md', 'src/**/*.md'], {
  cwd: root,
}).sort();

const read = (page: string): string => readFileSync(`${root}${page}`, 'utf8');
const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '');

/** Names of a page's headings in links, as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const headings = [...withoutCode(read(page)).matchAll(/^#+ +(.*)$/gm)].map(([, heading = '']) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
  return new Set(headings);
}

interface Link {
  readonly page: string;
  readonly text: string;
  /** Path below the root; the page itself for `#heading`. */
  readonly path: string;
  readonly anchor: string;
}

const links: readonly Link[] = PAGES.flatMap((page) =>
  [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, text = '']) => {
    if (/^[a-z]+:/.test(text)) return [];
    const [target = '', anchor = ''] = text.split('#');
    const path = target === '' ? page : relative(root, join(root, dirname(page), target));
    return [{ page, text, path, anchor }];
  }),
);

test('links between pages lead to files and headings that are there', () => {
  assert.ok(links.length > 100);
  const broken = links.filter(
    ({ path, anchor }) =>
      !existsSync(join(root, path)) ||
      (anchor !== '' && path.endsWith('.md') && !anchorsOf(path).has(anchor)),
  );
  assert.deepEqual(
    broken.map(({ page, text }) => `${page}: ${text}`),
    [],
  );
});

test('both READMEs lead to every page of docs/', () => {
  const guides = PAGES.filter((page) => /^docs\/[^/]+\.md$/.test(page));
  assert.ok(guides.length >= 14);
  for (const readme of ['README.md', 'README.zh-CN.md']) {
    const linked = new Set(links.filter(({ page }) => page === readme).map(({ path }) => path));
    const isTranslated = (page: string): boolean => linked.has(page.replace('docs/', 'docs/zh-CN/'));
    assert.deepEqual(
      guides.filter((page) => !linked.has(page) && !(readme !== 'README.md' && isTranslated(page))),
      [],
      readme,
    );
  }
});

test('the README has at most 250 lines', () => {
  assert.ok(read('README.md').split('\n').length <= 251);
});

test('the Chinese README has the programs and the figures of the English one', () => {
  const [english, chinese] = ['README.md', 'README.zh-CN.md'].map((page) => {
    const text = read(page);
    const programs = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
    // Its rows begin after the only table head that is empty in its first and has `furca` in its second column.
    const [table = ''] = /(?<=^\| \| furca \|.*\n\|[-|]+\n)(?:\|.*\n)+/m.exec(text) ?? [];
    const rows = table
      .trim()
      .split('\n')
      .map((row) => [...row.matchAll(/\d[\d,.]*\d|\d/g)].map(String).sort());
    return { programs, rows };
  });
  assert.ok(english !== undefined && chinese !== undefined && english.rows.length >= 10);
  assert.deepEqual(chinese.programs, english.programs);
  assert.deepEqual(chinese.rows, english.rows);
});

/** Every word in code in a row of a table. */
function namesInTables(page: string): Set<string> {
  const rows = read(page)
    .split('\n')
    .filter((line) => line.startsWith('|'));
  return new Set(
    rows.flatMap((row) => [...row.matchAll(/`[^`]+`/g)].flatMap(([code]) => code.match(/\w+/g) ?? [])),
  );
}

const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, unknown> };
const doors = Object.keys(exports)
  .filter((door) => !/json$/.test(door))
  .map((door) => (door === '.' ? 'index' : door.slice(2)));

test('docs/migrating-from-python.md has a row for every name that a door exports', async () => {
  const named = namesInTables('docs/migrating-from-python.md');
  const missing: string[] = [];
  // The door that only makes a program fork-ready would run this test anew.
  for (const door of doors.filter((name) => name !== 'fork-ready')) {
    const exported = Object.keys((await import(`../../src/${door}.js`)) as object);
    missing.push(...exported.filter((name) => !named.has(name)).map((name) => `${door}: ${name}`));
  }
  assert.deepEqual(missing, []);
});

test('docs/migrating-from-python.md has a row for every option of processes, pools and queues', () => {
  const named = namesInTables('docs/migrating-from-python.md');
  const files = [
    'process/process-options.ts',
    'pool/options/pool-options.ts',
    'channel/queue.ts',
    'subprocess/options.ts',
  ];
  const missing = files.flatMap((file) => {
    const { code = '' } = sources.find(({ path }) => path === file) ?? {};
    const interfaces = [
      ...code.matchAll(/export interface (\w+Options|ProcessSettings)\b[^{]*\{([\s\S]*?)^\}/gm),
    ];
    assert.ok(interfaces.length > 0, file);
    return interfaces.flatMap(([, type, body = '']) =>
      [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].flatMap(([, name = '']) =>
        named.has(name) ? [] : [`${type}.${name}`],
      ),
    );
  });
  assert.deepEqual(missing, []);
});
