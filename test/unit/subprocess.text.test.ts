import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { encodeText, TextDecoding, textSettings } from '../../src/subprocess/text.js';
import {
  checkOutput,
  checkOutputSync,
  PIPE,
  Popen,
  type TextErrors,
  UnicodeDecodeError,
} from '../../src/subprocess.js';
import { hasPython, python } from '../fixtures/subprocess-scratch.js';

const ENCODINGS = [
  'utf-8',
  'utf-16',
  'utf-16-le',
  'utf-16-be',
  'utf-32',
  'utf-32-le',
  'utf-32-be',
  'latin-1',
  'ascii',
];
const ERRORS: readonly TextErrors[] = ['strict', 'replace', 'ignore', 'surrogateescape', 'backslashreplace'];

/** Sequences that are right in some encodings and wrong in others, also at their end. */
const SAMPLES = [
  '',
  '61',
  'c3a9',
  'c3',
  '61c3',
  'e282ac',
  'e282',
  'f09f8d8e',
  'f09f8d',
  'c0af',
  'eda080',
  'f4908080',
  'ff61fe62',
  '80bf61',
  'e28261',
  'fffe6100',
  'feff0061',
  '3dd84edf',
  'd83ddf4e',
  '3dd8',
  '3dd86100',
  '0000fffe',
  'fffe000061000000',
  '0000feff00000061',
  '00001100',
  '61000000',
  '00110000',
];

/** Hex, since what `surrogateescape` gives cannot be printed. */
const asHex = (decoded: string): string => Buffer.from(decoded, 'utf16le').toString('hex');

function decoded(encoding: string, errors: TextErrors, sample: string, pieceBytes: number): string {
  const decoding = new TextDecoding(textSettings(encoding, errors));
  const bytes = Buffer.from(sample, 'hex');
  try {
    let found = '';
    for (let at = 0; at < bytes.length; at += pieceBytes)
      found += decoding.write(bytes.subarray(at, at + pieceBytes));
    return asHex(found + decoding.end());
  } catch (error) {
    if (error instanceof UnicodeDecodeError) return 'wrong';
    throw error;
  }
}

const DECODE = `
def one(encoding, errors, sample):
    try:
        return bytes.fromhex(sample).decode(encoding, errors).encode('utf-16-le', 'surrogatepass').hex()
    except UnicodeDecodeError:
        return 'wrong'
print(json.dumps([one(*case) for case in given]))`;

test('bytes are decoded as in Python, right and wrong ones, in every encoding and way to take errors', {
  skip: !hasPython,
}, () => {
  const cases = ENCODINGS.flatMap((encoding) =>
    ERRORS.flatMap((errors) => SAMPLES.map((sample) => [encoding, errors, sample] as const)),
  );
  const expected = python(DECODE, cases) as string[];
  for (const [at, [encoding, errors, sample]] of cases.entries()) {
    for (const pieceBytes of [1, 3, 100])
      assert.equal(
        decoded(encoding, errors, sample, pieceBytes),
        expected[at],
        `${sample} as ${encoding}, ${errors}, by ${pieceBytes}`,
      );
  }
});

const ENCODE = `
def one(encoding, errors, text):
    try:
        return bytes.fromhex(text).decode('utf-16-le', 'surrogatepass').encode(encoding, errors).hex()
    except UnicodeEncodeError:
        return 'wrong'
print(json.dumps([one(*case) for case in given]))`;

test('text is encoded as in Python, in every encoding and way to take errors', { skip: !hasPython }, () => {
  const texts = ['', 'a', 'é', '€', '🍎', '\udce9', '\ud800', 'a\udc80b€', '\udc7f'];
  const cases = ENCODINGS.flatMap((encoding) =>
    ERRORS.flatMap((errors) => texts.map((one) => [encoding, errors, asHex(one)] as const)),
  );
  const expected = python(ENCODE, cases) as string[];
  for (const [at, [encoding, errors, hex]] of cases.entries()) {
    let found: string;
    try {
      const one = Buffer.from(hex, 'hex').toString('utf16le');
      found = encodeText(one, textSettings(encoding, errors)).toString('hex');
    } catch {
      found = 'wrong';
    }
    assert.equal(found, expected[at], `${hex} as ${encoding}, ${errors}`);
  }
});

test('a command’s output is decoded by the stream, by communicate and by the blocking form alike', async () => {
  const options = { shell: true, encoding: 'utf-16' } as const;
  const line = `printf '\\376\\377\\0h\\330'; sleep 0.05; printf '\\074\\337\\116'`;
  assert.equal(await checkOutput(line, options), 'h🍎');
  assert.equal(checkOutputSync(line, options), 'h🍎');
  assert.equal(await text(new Popen(line, { ...options, stdout: PIPE }).stdout), 'h🍎');
});

test('what is read from the stream before communicate is not decoded twice, nor lost', async () => {
  const p = new Popen(['cat'], { stdin: PIPE, stdout: PIPE, text: true });
  p.stdin.write('first ');
  await new Promise((resolve) => p.stdout.once('readable', resolve));
  assert.equal(p.stdout.read(3), 'fir');
  assert.deepEqual(await p.communicate('second'), ['st second', null]);
});

test('output that is no text is an error that holds the bytes; errors: replace reads it', async () => {
  const line = "printf 'a\\377b'";
  await assert.rejects(checkOutput(line, { shell: true, text: true }), (error: unknown) => {
    assert.ok(error instanceof UnicodeDecodeError);
    assert.deepEqual(
      [error.code, error.encoding, error.start, error.bytes],
      ['ERR_FURCA_NOT_DECODABLE', 'utf-8', 1, Buffer.from([0x61, 0xff, 0x62])],
    );
    return true;
  });
  assert.equal(await checkOutput(line, { shell: true, errors: 'replace' }), 'a\ufffdb');
  const p = new Popen(line, { shell: true, stdout: PIPE, text: true });
  await assert.rejects(text(p.stdout), { code: 'ERR_FURCA_NOT_DECODABLE' });
});

test('input that the encoding has no place for is refused before the command starts', async () => {
  const options = { encoding: 'latin-1', input: '€' } as const;
  await assert.rejects(checkOutput(['cat'], options), {
    code: 'ERR_FURCA_INVALID_ARGUMENT',
    message: /U\+20AC/,
  });
  assert.throws(() => checkOutputSync(['cat'], options), { code: 'ERR_FURCA_INVALID_ARGUMENT' });
  const same = await checkOutput(['cat'], { encoding: 'utf-32-be', input: 'naïve €🍎' });
  assert.equal(same, 'naïve €🍎');
  await assert.rejects(checkOutput(['cat'], { encoding: 'klingon' }), { code: 'ERR_FURCA_INVALID_ARGUMENT' });
});
