import { Cursor, parseFloatLine, parseInteger, parseUnicodeLine } from './cursor.js';
import { notAPickle, refusedOpcode } from './failures.js';
import type { FindGlobal } from './globals.js';
import { type DictForm, integerOrBoolean, Machine } from './machine.js';
import { OP } from './opcodes.js';
import { asTuple, frozenset } from './python-values.js';

type Step = (machine: Machine) => void;

const HIGHEST_PROTOCOL = 5;

/** What each opcode does; those that are missing are none. */
const STEPS: (Step | undefined)[] = new Array<Step | undefined>(256).fill(undefined);

function define(steps: readonly (readonly [number, Step])[]): void {
  for (const [op, step] of steps) STEPS[op] = step;
}

define([
  [
    OP.PROTO,
    (m) => {
      const protocol = m.input.u8();
      if (protocol > HIGHEST_PROTOCOL) throw notAPickle(`its protocol is ${protocol}`);
    },
  ],
  [OP.FRAME, (m) => void m.input.u64()],
  [OP.MARK, (m) => m.mark()],
  [OP.POP, (m) => m.drop()],
  [OP.POP_MARK, (m) => void m.popMark()],
  [OP.DUP, (m) => m.push(m.top())],
  [OP.MEMOIZE, (m) => m.memoize()],
  [OP.PUT, (m) => m.memoize(index(m.input.line()))],
  [OP.BINPUT, (m) => m.memoize(m.input.u8())],
  [OP.LONG_BINPUT, (m) => m.memoize(m.input.u32())],
  [OP.GET, (m) => m.recall(index(m.input.line()))],
  [OP.BINGET, (m) => m.recall(m.input.u8())],
  [OP.LONG_BINGET, (m) => m.recall(m.input.u32())],
]);

define([
  [OP.NONE, (m) => m.push(null)],
  [OP.NEWTRUE, (m) => m.push(true)],
  [OP.NEWFALSE, (m) => m.push(false)],
  [OP.BININT, (m) => m.push(m.input.i32())],
  [OP.BININT1, (m) => m.push(m.input.u8())],
  [OP.BININT2, (m) => m.push(m.input.u16())],
  [OP.LONG1, (m) => m.push(m.input.integer(m.input.u8()))],
  [OP.LONG4, (m) => m.push(m.input.integer(m.input.u32()))],
  [OP.BINFLOAT, (m) => m.push(m.input.f64())],
  [OP.INT, (m) => m.push(integerOrBoolean(m.input.line(), parseInteger))],
  [OP.LONG, (m) => m.push(parseInteger(m.input.line()))],
  [OP.FLOAT, (m) => m.push(parseFloatLine(m.input.line()))],
]);

define([
  [OP.SHORT_BINUNICODE, (m) => m.push(m.input.text(m.input.u8()))],
  [OP.BINUNICODE, (m) => m.push(m.input.text(m.input.u32()))],
  [OP.BINUNICODE8, (m) => m.push(m.input.text(m.input.u64()))],
  [OP.UNICODE, (m) => m.push(parseUnicodeLine(m.input.line()))],
  [OP.SHORT_BINBYTES, (m) => m.push(m.input.copy(m.input.u8()))],
  [OP.BINBYTES, (m) => m.push(m.input.copy(m.input.u32()))],
  [OP.BINBYTES8, (m) => m.push(m.input.copy(m.input.u64()))],
  [OP.BYTEARRAY8, (m) => m.push(m.input.copy(m.input.u64()))],
]);

define([
  [OP.EMPTY_LIST, (m) => m.push([])],
  [OP.LIST, (m) => pushList(m, m.popMark())],
  [OP.APPEND, (m) => m.append([m.pop()])],
  [OP.APPENDS, (m) => m.append(m.popMark())],
  [OP.EMPTY_TUPLE, (m) => m.push(asTuple([]))],
  [OP.TUPLE, (m) => m.push(asTuple(m.data(m.popMark())))],
  [OP.TUPLE1, (m) => m.popTuple(1)],
  [OP.TUPLE2, (m) => m.popTuple(2)],
  [OP.TUPLE3, (m) => m.popTuple(3)],
  [OP.EMPTY_DICT, (m) => m.push(m.emptyDict())],
  [OP.DICT, (m) => pushDict(m, m.popMark())],
  [OP.SETITEM, (m) => setOne(m, m.pop())],
  [OP.SETITEMS, (m) => m.setItems(m.popMark())],
  [OP.EMPTY_SET, (m) => m.push(new Set())],
  [OP.ADDITEMS, (m) => m.addToSet(m.popMark())],
  [OP.FROZENSET, (m) => m.push(frozenset(m.data(m.popMark())))],
]);

define([
  [OP.GLOBAL, (m) => m.pushGlobal(m.input.line(), m.input.line())],
  [OP.STACK_GLOBAL, (m) => stackGlobal(m, m.pop())],
  [OP.REDUCE, (m) => callWith(m, m.pop())],
  [OP.NEWOBJ, (m) => callWith(m, m.pop())],
  [OP.NEWOBJ_EX, callWithKeywords],
  [OP.OBJ, (m) => callFirst(m, m.popMark())],
  [
    OP.INST,
    (m) => {
      const args = asTuple(m.popMark());
      m.pushGlobal(m.input.line(), m.input.line());
      m.call(m.pop(), args);
    },
  ],
  [OP.BUILD, (m) => m.build()],
]);

/** Text of Python 2, whose encoding nobody knows, and what lies outside of the pickle. */
for (const name of [
  'STRING',
  'BINSTRING',
  'SHORT_BINSTRING',
  'PERSID',
  'BINPERSID',
  'EXT1',
  'EXT2',
  'EXT4',
  'NEXT_BUFFER',
  'READONLY_BUFFER',
] as const) {
  STEPS[OP[name]] = () => {
    throw refusedOpcode(name);
  };
}

function index(line: string): number {
  const at = Number(line);
  if (/^\d+$/.test(line) && Number.isSafeInteger(at)) return at;
  throw notAPickle(`'${line.slice(0, 20)}' is no place in its memo`);
}

function pushList(m: Machine, items: unknown[]): void {
  m.push(m.data(items));
}

function pushDict(m: Machine, pairs: unknown[]): void {
  m.push(m.emptyDict());
  m.setItems(pairs);
}

function setOne(m: Machine, value: unknown): void {
  m.setItems([m.pop(), value]);
}

function stackGlobal(m: Machine, name: unknown): void {
  m.pushGlobal(m.pop(), name);
}

function callWith(m: Machine, args: unknown): void {
  m.call(m.pop(), args);
}

function callWithKeywords(m: Machine): void {
  const keywords = m.pop();
  const args = m.pop();
  const count = keywords instanceof Map ? keywords.size : Object.keys(Object(keywords)).length;
  if (count > 0) throw notAPickle('it makes something with keyword arguments');
  m.call(m.pop(), args);
}

function callFirst(m: Machine, [callee, ...args]: unknown[]): void {
  m.call(callee, asTuple(args));
}

/**
 * Runs a pickle.
 *
 * @throws {@link NotSendableError} `ERR_FURCA_NOT_SENDABLE`: it is damaged, or holds more than data. Nothing else is thrown.
 */
export function runPickle(bytes: Uint8Array, find: FindGlobal, dicts: DictForm): unknown {
  const machine = new Machine(new Cursor(bytes), find, dicts);
  for (;;) {
    const op = machine.input.u8();
    if (op === OP.STOP) return machine.result();
    const step = STEPS[op];
    if (step === undefined) throw notAPickle(`it has the byte ${op} where an opcode should be`);
    step(machine);
  }
}
