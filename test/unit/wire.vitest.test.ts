import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { edited, readFunctionText } from '../../src/wire/closures/function-text.js';
import { editsOfViteWord, isWordOfVite } from '../../src/wire/closures/vitest.js';

/** The text as it is sent. */
function sentAs(text: string): string {
  const read = readFunctionText(text, false);
  const uses = read.surroundings.uses.filter(({ name }) => isWordOfVite(name));
  return edited(
    read,
    uses.flatMap((use) => editsOfViteWord(use, read)),
  );
}

test('What vitest writes for import() is an import of the file again, by its address where the path is known', () => {
  const file = pathToFileURL('/src/no-such-dep.ts').href;
  const text = 'async () => (await __vite_ssr_dynamic_import__("/src/no-such-dep.ts", {})).seven';
  assert.equal(sentAs(text), `async () => (await import("${file}", {})).seven`);
  const elsewhere = sentAs('() => __vite_ssr_dynamic_import__("/@fs/else where/a.ts")');
  assert.equal(elsewhere, '() => import("file:///else%20where/a.ts")');
  assert.equal(sentAs('() => __vite_ssr_dynamic_import__("node:path")'), '() => import("node:path")');
  assert.equal(sentAs('(name) => __vite_ssr_dynamic_import__(name)'), '(name) => import(name)');
});

test('A method that vitest has rewritten keeps its places, several of them too', () => {
  const text = 'load() { return [__vite_ssr_dynamic_import__("a\\"b"), __vite_ssr_dynamic_import__("c")]; }';
  assert.match(sentAs(text), /return \[import\("a\\"b"\), import\("c"\)\];/);
  assert.doesNotMatch(sentAs('() => __vite_ssr_import_meta__.url'), /__vite/);
});
