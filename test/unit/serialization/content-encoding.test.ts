import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { UndecodableError } from '../../../src/errors.js';
import { encodingsOf, undone } from '../../../src/serialization/content-encoding.js';

const { zstdCompressSync } = zlib as { zstdCompressSync?: (body: Buffer) => Buffer };

const ENCODING: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  gzip: zlib.gzipSync,
  'x-gzip': zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: (body) => zlib.brotliCompressSync(body, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }),
  ...(zstdCompressSync ? { zstd: zstdCompressSync } : {}),
};
const NAMES = Object.keys(ENCODING);
const encoded = (body: Buffer, names: readonly string[]) =>
  names.reduce((inside, name) => (ENCODING[name] as (typeof ENCODING)[string])(inside), body);

const MAX = 100_000;

describe('content encodings', () => {
  it('are undone, several of them in the order they were done', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 2_000 }),
        fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }),
        fc.constantFrom(', ', ',', ' ,\t'),
        async (bytes, names, comma) => {
          const { known, left } = encodingsOf(names.join(comma).toUpperCase(), undefined);
          assert.equal(left, undefined);
          const body = await undone(encoded(Buffer.from(bytes), names), known, MAX);
          assert.ok(body.equals(bytes));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('are undone under a cap that no buffer of Node.js can reach', async () => {
    const body = Buffer.from('{"a":1}');
    for (const name of NAMES)
      assert.ok((await undone(encoded(body, [name]), [name], Number.MAX_SAFE_INTEGER)).equals(body), name);
  });

  it("that are called deflate are undone without the format's frame, too, as some clients send it", async () => {
    const body = Buffer.from('{"a":1}'.repeat(100));
    assert.ok((await undone(zlib.deflateRawSync(body), ['deflate'], MAX)).equals(body));
  });

  it("of kombu's header are undone: its application/x-gzip is zlib's format, and others' is gzip", async () => {
    const body = Buffer.from('[[1], {}, {}]');
    const { known, left } = encodingsOf('utf-8', 'application/x-gzip');
    assert.deepEqual([known, left], [['application/x-gzip'], 'utf-8']);
    assert.ok((await undone(zlib.deflateSync(body), known, MAX)).equals(body));
    assert.ok((await undone(zlib.gzipSync(body), known, MAX)).equals(body));
    assert.ok((await undone(zlib.brotliCompressSync(body), ['application/x-brotli'], MAX)).equals(body));
  });

  it('that say nothing cost nothing: there is none to undo, and none left', () => {
    for (const encoding of ['', 'identity', 'binary', 'identity, BINARY'])
      assert.deepEqual(encodingsOf(encoding, undefined), { known: [], left: undefined }, encoding);
    for (const header of ['high', 'gzip', 'toString', 7, null, {}])
      assert.deepEqual(encodingsOf('identity', header), { known: [], left: undefined });
  });

  it('are undone as far as they are known, and the rest is left', () => {
    assert.deepEqual(encodingsOf('utf-16', undefined), { known: [], left: 'utf-16' });
    assert.deepEqual(encodingsOf('ISO-8859-1, gzip', undefined), { known: ['gzip'], left: 'iso-8859-1' });
    assert.deepEqual(encodingsOf('snappy, gzip, br', undefined), { known: ['br', 'gzip'], left: 'snappy' });
    assert.deepEqual(encodingsOf('gzip, snappy', undefined), { known: [], left: 'gzip, snappy' });
    assert.deepEqual(encodingsOf('utf-8', 'application/x-bz2'), {
      known: [],
      left: 'utf-8, application/x-bz2',
    });
  });

  it('that make a body larger than the cap end it as undecodable, with the cap, and at every stage', async () => {
    const bomb = Buffer.alloc(MAX + 1);
    for (const names of [...NAMES.map((name) => [name]), ['gzip', 'br']]) {
      await assert.rejects(undone(encoded(bomb, names), names.toReversed(), MAX), (error) => {
        assert.ok(error instanceof UndecodableError);
        assert.match(
          error.message,
          new RegExp(`decoded from '${names[0]}', .* over the cap of ${MAX} bytes$`),
        );
        assert.match(error.help, /maxBodyBytes/);
        return true;
      });
    }
    const fits = Buffer.alloc(MAX);
    for (const name of NAMES) assert.equal((await undone(encoded(fits, [name]), [name], MAX)).length, MAX);
  });

  it('that are more than anybody needs are not undone at all', () => {
    assert.equal(encodingsOf('gzip,gzip,gzip,gzip,gzip', undefined).known.length, 5);
    assert.throws(
      () => encodingsOf('gzip,'.repeat(6), undefined),
      /it has 6 content encodings, more than the 5 /,
    );
  });

  it('of a body that is broken, cut off or followed by more end it as undecodable', async () => {
    const whole = zlib.gzipSync('{"a":1}');
    const bodies = [Buffer.from('{"a":1}'), whole.subarray(0, -9), Buffer.concat([whole, Buffer.from('x')])];
    for (const body of bodies) {
      await assert.rejects(undone(body, ['gzip'], MAX), (error) => {
        assert.ok(error instanceof UndecodableError);
        assert.match(error.message, /its body is not valid gzip$/);
        return true;
      });
    }
    for (const name of NAMES)
      await assert.rejects(undone(Buffer.from('{"a":1}'), [name], MAX), UndecodableError, name);
  });

  it('of an empty body leave it empty', async () => {
    assert.equal((await undone(Buffer.alloc(0), ['br', 'gzip'], MAX)).length, 0);
  });
});
