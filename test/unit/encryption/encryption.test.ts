import assert from 'node:assert/strict';
import { createCipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { Encryption } from '../../../src/encryption/encryption.js';
import { boundTo, keyIdIn } from '../../../src/encryption/envelope.js';
import { KeysUnavailableError, UnknownKeyError } from '../../../src/encryption/errors.js';
import type { KeyProvider } from '../../../src/encryption/key-provider.js';
import { type StaticKeysOptions, staticKeys } from '../../../src/encryption/static-keys.js';
import { UndecodableError } from '../../../src/errors.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { systemClock } from '../../../src/util/clock.js';
import { everything, found } from '../../support/secret.js';
import { problemsOf } from '../option-problems.js';

const key = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');
const provider = staticKeys({ current: 'k1', keys: { k1: key } });
const ofMessage = boundTo('order.placed', { messageId: 'm-1', chainId: undefined });
const encryption = (keys: KeyProvider = provider) => new Encryption(keys, systemClock);

describe('encryption', () => {
  it('gives the same bytes back, each time under another nonce', async () => {
    const plain = Buffer.from('{"a":1}');
    const first = await encryption().seal(plain, 'application/json', ofMessage);
    const second = await encryption().seal(plain, 'application/json', ofMessage);
    assert.notDeepEqual(first.body.subarray(0, 12), second.body.subarray(0, 12));
    for (const { body, header } of [first, second]) {
      assert.equal(body.length, plain.length + 28);
      assert.deepEqual(await encryption().open(body, header, ofMessage), {
        body: plain,
        contentType: 'application/json',
      });
    }
    const empty = await encryption().seal(Buffer.alloc(0), '', ofMessage);
    assert.equal((await encryption().open(empty.body, empty.header, ofMessage)).body.length, 0);
  });

  it('reads what another client has written by the description, whose bytes do not change', async () => {
    const header = '{"type":"text/plain", "kid":"k1","alg":"A256GCM","v":1}';
    const nonce = Buffer.alloc(12, 7);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    cipher.setAAD(Buffer.from(`55:${header},7:message,3:m-1,12:order.placed,`));
    const inside = Buffer.concat([cipher.update('hello'), cipher.final()]);
    const body = Buffer.concat([nonce, inside, cipher.getAuthTag()]);
    assert.equal(body.toString('hex'), '070707070707070707070707670fca300009c48f671dd95c79902bc4dc3cfb1745');
    const opened = await encryption().open(body, header, ofMessage);
    assert.deepEqual([opened.body.toString(), opened.contentType], ['hello', 'text/plain']);
  });

  it('is bound to what the message is, with no two of them alike', async () => {
    const { body, header } = await encryption().seal(Buffer.from('x'), 'text/plain', ofMessage);
    const others = [
      boundTo('order.placed', { messageId: 'm-2', chainId: undefined }),
      boundTo('order.paid', { messageId: 'm-1', chainId: undefined }),
      boundTo('order.placed', { messageId: 'm-1', chainId: 'm-1' }),
      ['message', 'm-1,12:order.placed', ''] as const,
    ];
    for (const bound of others)
      assert.throws(() => encryption().open(body, header, bound), { code: 'HOPLINE_UNDECODABLE' });
    assert.throws(() => encryption().open(body, `${header} `, ofMessage), UndecodableError);
    assert.throws(() => boundTo('a', { messageId: undefined, chainId: undefined }), UndecodableError);
  });

  it('refuses headers that it has not written, and says why', () => {
    for (const header of [
      1,
      null,
      'no json',
      'null',
      '[]',
      '{}',
      '{"v":2,"alg":"A256GCM","kid":"k1","type":""}',
    ]) {
      assert.throws(() => encryption().open(Buffer.alloc(40), header, ofMessage), UndecodableError);
      assert.equal(keyIdIn(header), undefined);
    }
  });

  it('is a promise only if the provider gives one, and waits for none for ever', async () => {
    const { body, header } = (await encryption().seal(Buffer.from('x'), '', ofMessage)) as never;
    assert.ok(!(encryption().open(body, header, ofMessage) instanceof Promise));
    const clock = new ManualClock();
    const mute = new Encryption(
      { current: () => new Promise(() => {}), find: () => new Promise(() => {}) },
      clock,
    );
    const waiting = [mute.seal(body, '', ofMessage), mute.open(body, header, ofMessage)];
    const ended = Promise.allSettled(waiting);
    await clock.advance(10_000);
    for (const result of await ended)
      assert.match(String((result as PromiseRejectedResult).reason), /did not answer within 10s/);
  });

  it('takes what the provider throws, or gives instead of a key, for a key that can not be had', async () => {
    const { body, header } = await encryption().seal(Buffer.from('x'), '', ofMessage);
    const cause = new Error('sealed');
    const thrown = {
      current: () => {
        throw cause;
      },
      find: () => Promise.reject(cause),
    };
    assert.throws(() => encryption(thrown).seal(body, '', ofMessage), {
      code: 'HOPLINE_KEYS_UNAVAILABLE',
      cause,
    });
    await assert.rejects(async () => encryption(thrown).open(body, header, ofMessage), { cause });
    for (const given of [
      undefined,
      null,
      {},
      { id: 'k1' },
      { id: 'k 1', key },
      { id: 'k1', key: key.subarray(1) },
    ])
      assert.throws(
        () => encryption({ current: () => given, find: () => undefined } as never).seal(body, '', ofMessage),
        KeysUnavailableError,
      );
    for (const given of [null, 'k1', Buffer.alloc(16), createSecretKey(Buffer.alloc(16))])
      assert.throws(
        () => encryption({ current: () => {}, find: () => given } as never).open(body, header, ofMessage),
        KeysUnavailableError,
      );
    const none = { ...provider, find: () => undefined };
    assert.throws(() => encryption(none).open(body, header, ofMessage), UnknownKeyError);
  });
});

describe('static keys', () => {
  it('are bytes or base64, and no dump shows them', async () => {
    const keys = staticKeys({
      current: 'b',
      keys: { a: key, b: key.toString('base64'), c: key.toString('base64url') },
    });
    assert.equal((await keys.current()).id, 'b');
    const { body, header } = await encryption(keys).seal(Buffer.from('x'), '', ofMessage);
    assert.equal((await encryption(keys).open(body, header, ofMessage)).body.toString(), 'x');
    assert.equal(await keys.find('d'), undefined);
    const hex = key.toString('hex');
    const shown = everything([keys, await keys.current(), new Encryption(keys, systemClock)]);
    for (const form of [hex, hex.replaceAll(/(..)(?=.)/g, '$1 '), key.toString('base64').slice(0, -1)])
      assert.ok(!shown.includes(form), shown);
  });

  it('that can not work are refused with all problems at once, which show no key', () => {
    const secret = randomBytes(32).toString('base64');
    const wrong = {
      current: 'elsewhere',
      keys: { [secret]: 'k1', k1: undefined, k2: 'short', k3: 1, k4: randomBytes(64).toString('base64') },
      old: 1,
    };
    const problems = problemsOf(() => staticKeys(wrong as unknown as StaticKeysOptions));
    assert.deepEqual(problems, [
      'unknown option old',
      'expected the name of key 1 to be an id of 1 to 40 letters, digits, and . _ : / @ -',
      'expected keys.k1 to be 32 bytes, or these in base64, got undefined: is its environment variable set?',
      'expected keys.k2 to be 32 bytes, or these in base64, got 3 bytes',
      'expected keys.k3 to be 32 bytes, or these in base64, got something else',
      'expected keys.k4 to be 32 bytes, or these in base64, got 64 bytes',
      'expected current to be the id of one of the keys',
    ]);
    assert.deepEqual(found(secret, problems.join()), []);
    for (const options of [undefined, {}, { current: 'a', keys: {} }, { keys: { a: key } }])
      assert.ok(problemsOf(() => staticKeys(options as never)).length > 0);
  });
});
