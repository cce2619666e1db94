import { deepStrictEqual, strictEqual as equal, match, ok } from 'node:assert';
import { performance } from 'node:perf_hooks';
import fc from 'fast-check';
import { drawBody } from '../../src/dashboard/letters/draw-body.js';
import { editableText, restoredText } from '../../src/dashboard/letters/editable-text.js';
import { printJson } from '../../src/dashboard/letters/print-json.js';
import { HIDDEN, Redaction } from '../../src/dashboard/letters/redaction.js';

const redaction = new Redaction(['password', 'apikey', 'token', 'cvv', 'card', 'authorization']);
const nothingHidden = new Redaction([]);

const bodyOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** The fastest of some runs, so that another process on the machine doesn't count. */
function fastestMs(work: () => void): number {
  const times = Array.from({ length: 5 }, () => {
    const began = performance.now();
    work();
    return performance.now() - began;
  });
  return Math.min(...times);
}

describe('bodies of dead letters on a page', () => {
  it('JSON is indented as JSON.stringify does it', () => {
    fc.assert(
      fc.property(fc.json(), (source) => {
        const printed = printJson(source, { redaction: nothingHidden });
        deepStrictEqual(JSON.parse(printed?.text ?? 'undefined'), JSON.parse(source));
        equal(printed?.isCut, false);
      }),
    );
    const value = { a: [1, { b: [] }, {}], c: 'x', d: [[null, true]] };
    equal(printJson(JSON.stringify(value), { redaction })?.text, JSON.stringify(value, undefined, 2));
  });

  it('numbers, escapes and repeated names stay as they were written', () => {
    const source = '{"n":12345678901234567890,"n":1.50,"t":"\\u00e9\\/"}';
    const { text } = drawBody(Buffer.from(source), redaction);
    equal(text, '{\n  "n": 12345678901234567890,\n  "n": 1.50,\n  "t": "\\u00e9\\/"\n}');
  });

  it('what is no JSON is shown as text, and what is no text in hexadecimal', () => {
    for (const text of ['{"a":1', '{"a":1}}', '[1,]', '{a:1}', 'hello', '{"a":tru}'])
      deepStrictEqual(drawBody(Buffer.from(text), redaction), { form: 'text', text, isCut: false });
    const { form, text } = drawBody(Buffer.from([0xff, 0x00, 0x41]), redaction);
    equal(form, 'bytes');
    equal(text, `000000  ${'ff 00 41'.padEnd(47)}  ..A`);
    equal(drawBody(Buffer.alloc(0), redaction).form, 'empty');
  });

  it('values of secret fields are hidden at any depth and in any form', () => {
    const hidden = [
      bodyOf({ user: 'ada', password: 'pa55word', deep: [{ 'X-Api-Key': 'pa55word', list: [1] }] }),
      bodyOf({ access_token: { nested: ['pa55word', { more: 'pa55word' }] }, cardCVV: 'pa55word' }),
      Buffer.from('user=ada&password=pa55word&n=1'),
      Buffer.from('error: Authorization: Bearer pa55word\nnext: line'),
      Buffer.from('<login><password kind="x">pa55word</password></login>'),
      Buffer.from('connect amqp://ada:pa55word@rabbit/shop'),
      Buffer.from('{"password": "pa55word", broken'),
      Buffer.from('{"password": "pa55word'),
    ];
    for (const body of hidden) {
      const { text } = drawBody(body, redaction);
      ok(!text.includes('pa55word'), text);
      ok(text.includes(HIDDEN), text);
    }
  });

  it('a short name hides whole words alone', () => {
    for (const name of ['card', 'Card', 'creditCard', 'card_number', 'cvv']) ok(redaction.hides(name), name);
    for (const name of ['discard', 'cardinality', 'id', 'cvvs']) ok(!redaction.hides(name), name);
  });

  it('a secret is hidden that begins before the cut and ends behind it', () => {
    const long = `${'x'.repeat(64 * 1024 - 20)} password=${'pa55word'.repeat(20)}`;
    ok(!drawBody(Buffer.from(long), redaction).text.includes('pa55'));
    const json = `{"list":"${'x'.repeat(256 * 1024 - 30)}","password":"${'pa55word'.repeat(200_000)}"}`;
    ok(!drawBody(Buffer.from(json), redaction).text.includes('pa55'));
  });

  it('characters that show nothing or turn the direction of the text are written out', () => {
    const { text } = drawBody(Buffer.from('"a\u202eb\u0007\u200b\u2066"'), redaction);
    equal(text, '"a\\u202eb\\u0007\\u200b\\u2066"');
  });

  it('a body of any size is drawn in less than 50 ms and in at most 64 kB of characters', () => {
    const bodies: Record<string, Buffer> = {
      'ten megabytes of text': Buffer.alloc(10_000_000, 'word '),
      'ten megabytes without a space': Buffer.alloc(10_000_000, 'a'),
      'a million elements': bodyOf(Array.from({ length: 1_000_000 }, (_, at) => at)),
      'a million brackets': Buffer.alloc(1_000_000, '['),
      'objects a million deep': Buffer.alloc(5_000_000, '{"a":'),
      'a string of ten megabytes': bodyOf({ text: 'x'.repeat(10_000_000) }),
      'ten megabytes of space': Buffer.from(`[${' '.repeat(10_000_000)}1]`),
      'ten megabytes of bytes': Buffer.alloc(10_000_000, 0xff),
      'names that look like secrets': Buffer.alloc(10_000_000, 'password:password:'),
      'tags that never end': Buffer.alloc(10_000_000, '<password '),
      'quotes that never end': Buffer.alloc(10_000_000, 'token="\\'),
      'addresses that never end': Buffer.alloc(10_000_000, '://:'),
    };
    for (const [name, body] of Object.entries(bodies)) {
      const ms = fastestMs(() => drawBody(body, redaction));
      ok(ms < 50, `${name}: ${ms} ms`);
      const { text, isCut } = drawBody(body, redaction);
      ok(isCut, name);
      ok(text.length <= 64 * 1024 + 1, `${name}: ${text.length}`);
    }
  });
});

describe('a body in a form', () => {
  it('has numbers in place of secret values, which are put back as they were', () => {
    const source = '{"password":{"a":[1,2]},"n":12345678901234567890,"token":"t","amount":1}';
    const { text, ...editable } = editableText(source, redaction);
    ok(!text.includes('"t"') && text.includes('‹redacted 1›') && text.includes('‹redacted 2›'), text);
    const edited = text.replace('"amount": 1', '"amount": 2');
    const restored = restoredText(edited, editable);
    ok('text' in restored);
    equal(
      restored.text.replaceAll(/\s/g, ''),
      '{"password":{"a":[1,2]},"n":12345678901234567890,"token":"t","amount":2}',
    );
  });

  it('comes back unchanged, whatever it is', () => {
    const sources = [
      'user=ada&password=pa55word&url=amqp://u:p@h',
      '<a><token>x</token></a> token: amqp://u:p@h, token: y',
      '{"token":"\\"","Token":1}',
      'plain',
    ];
    for (const source of sources) {
      const { text, ...editable } = editableText(source, redaction);
      const restored = restoredText(text, editable);
      ok('text' in restored);
      equal(editable.isJson ? restored.text.replaceAll(/\s/g, '') : restored.text, source);
    }
    fc.assert(
      fc.property(fc.string(), (source) => {
        fc.pre(!source.includes('‹redacted'));
        const { text, ...editable } = editableText(source, redaction);
        const restored = restoredText(text, editable);
        ok('text' in restored);
        if (!editable.isJson) equal(restored.text, source);
      }),
    );
  });

  it('says which number stands for no value', () => {
    const restored = restoredText('{"a":"‹redacted 3›"}', { isJson: true, taken: ['1'] });
    ok('problem' in restored);
    match(restored.problem, /‹redacted 3›/);
  });
});
