import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFunctionText } from '../../src/wire/closures/function-text.js';

/** Text of a function, its free names, what else it takes from its surroundings. */
const texts: readonly (readonly [string, string, string])[] = [
  ['(x) => ({ captured, x })', 'captured', ''],
  ['({ a = cap } = {}) => a', 'cap', ''],
  ['(o) => { let a; ({ a = cap, b: q.r } = o); return a }', 'cap,q', ''],
  ['(a = v) => { var v = 1; return a }', 'v', ''],
  ['(a, b = a, c = () => d) => { const d = 1 }', 'd', ''],
  ['() => { { function f() {} } return f }', 'f', ''],
  ['() => { for (x of [1]) ; for (const y in z) y; }', 'x,z', ''],
  ['() => { for (let i = 0, n = k; i < n; i++) { let i = j; } return i }', 'k,j,i', ''],
  ['(o) => o?.a?.[key]?.b', 'key', ''],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a function
  ['(s) => tag`${s} ${u}`', 'tag,u', ''],
  [
    '() => class extends Base { static x = 1; #p = 1; static { var z = 1; this.q = z; } m() { return this.#p + super.m() + new.target } [k]() {} get g() { return arguments } has(o) { return #p in o } }',
    'Base,k',
    '',
  ],
  ['() => class { [this.k] = 1 }', '', 'this'],
  [
    '() => ({ m() { return super.x + this.y }, get a() { return this }, f: function () { return arguments }, b: () => this })',
    '',
    'this',
  ],
  ['m() { return () => super.x }', '', 'super'],
  ['async *m(a) { for await (const x of a) yield* x; await z }', 'z', ''],
  ['function f() { return () => [arguments, this, new.target] }', '', ''],
  ['function f(f2 = f) { return f }', '', ''],
  [
    '() => { try { a } catch { b } finally { c } try {} catch ({ d, e = g }) { d; e } return d }',
    'a,b,c,g,d',
    '',
  ],
  ['() => { switch (x) { case y: let q = 1; default: q } return q }', 'x,y,q', ''],
  ['() => { l: for (;;) { continue l } }', '', ''],
  ['() => { return eval("x") }', 'eval', 'eval'],
  ['() => (0, eval)("x")', 'eval', ''],
  ['() => new.target', '', 'new.target'],
  ['(o) => o.#x', '', '#x'],
  ['(o) => { const f = function g() { return g }; return g }', 'g', ''],
  ['() => { const C = class D { x = D }; return D }', 'D', ''],
  ['() => import.meta.url + import("x", { with: y })', 'y', 'import.meta'],
  ['() => { const { a, ...b } = c, [d, , e = f] = g; return [a, b, d, e] }', 'c,f,g', ''],
  ['() => { var a = 1; { var b = 2 } return b + a; function h() {} }', '', ''],
  ['() => { h(); { let h } function h() { return i } }', 'i', ''],
  ['static(x) { return x }', '', ''],
  ['get(x) { return x }', '', ''],
  ['async(x) { return x }', '', ''],
  ['"a b"(x) { return x }', '', ''],
  ['[Symbol.iterator]() { return 1 }', '', ''],
  ['5() { return 1 }', '', ''],
  ['async get() { return 1 }', '', ''],
  ['*[a.b]() {}', '', ''],
  ['(a) => 010 + a', '', ''],
  ['x => { with (x) y }', 'y', ''],
  ['function anonymous(a\n) {\nreturn a\n}', '', ''],
  ['async x => x', '', ''],
  ['async function* () { }', '', ''],
  ['(x) => x // c', '', ''],
  ['() => { using r = open(); return r }', 'open', ''],
  ['(async) => async', '', ''],
];

for (const [text, names, context] of texts) {
  test(`free names are found in: ${text.replaceAll('\n', ' ')}`, () => {
    const { form, surroundings } = readFunctionText(text, false);
    assert.notEqual(form, 'unknown');
    assert.equal([...surroundings.names].join(), names);
    assert.equal([...surroundings.context].join(), context);
  });
}

test('getters, setters and classes are known as such, and what is none of them is unknown', () => {
  const forms = [
    'get x() { return 1 }',
    'set x(v) {}',
    'class A {}',
    'm() {}',
    '#m() {}',
    '5',
    '',
    'a, b',
    'x; y',
  ];
  assert.deepEqual(
    forms.map((text) => readFunctionText(text, false).form),
    ['accessor', 'accessor', 'class', 'method', ...new Array<string>(5).fill('unknown')],
  );
});

test('text that is legal in sloppy code only is taken for sloppy', () => {
  const texts = ['(a) => 010 + a', 'x => { with (x) y }', '(x) => x'];
  assert.deepEqual(
    texts.map((text) => readFunctionText(text, false).isStrict),
    [false, false, true],
  );
  assert.equal(readFunctionText('function f() {}', true).isStrict, false);
});
