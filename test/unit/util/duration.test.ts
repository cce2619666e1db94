import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Duration, formatMs, isDuration, toMs, toMsOrForever } from '../../../src/util/duration.js';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

describe('a duration', () => {
  it('is a number of milliseconds, or a number with one of five units', () => {
    const table: [Duration, number][] = [
      [0, 0],
      [1_500, 1_500],
      [0.5, 0.5],
      ['0s', 0],
      ['250ms', 250],
      ['30s', 30_000],
      ['1.5s', 1_500],
      ['5m', 300_000],
      ['24h', 86_400_000],
      ['7d', 604_800_000],
    ];
    for (const [duration, expectedMs] of table) {
      assert.ok(isDuration(duration), String(duration));
      assert.equal(toMs(duration), expectedMs, String(duration));
    }
  });

  it('with a unit is that many of the unit, whatever the number', () => {
    fc.assert(
      fc.property(fc.nat(400), fc.constantFrom(...Object.keys(UNITS)), (count, unit) => {
        const length = toMs(`${count}${unit}` as Duration);
        assert.equal(length, count * UNITS[unit as keyof typeof UNITS]);
      }),
    );
  });

  it('has 400 days at most', () => {
    const most = 400 * UNITS.d;
    for (const duration of ['400d', '9600h', `${most}ms`, most] as Duration[])
      assert.equal(toMs(duration), most, String(duration));
    const longer = ['401d', '400.1d', `${most + 1}ms`, most + 1, `${'9'.repeat(20)}s`, `${'9'.repeat(200)}s`];
    for (const duration of longer) {
      assert.equal(isDuration(duration), false, String(duration));
      assert.throws(() => toMs(duration as Duration), /of at most 400 days/, String(duration));
    }
  });

  it('is nothing else: no other unit, no sign, no space, no bare text, nothing infinite', () => {
    const others = [
      ...['', '30', 's', '-1s', '+1s', '1 s', ' 1s', '1s ', '1s\n', '1.s', '.5s', '1e3s', '1S', '1M', '1min'],
      ...['1w', '1y', '1s 2ms', '1,5s'],
      ...[-1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      ...[undefined, null, true, 1n, {}, [], ['1s'], new Date(), () => '1s'],
    ];
    for (const other of others) {
      assert.equal(isDuration(other), false, String(other));
      assert.throws(() => toMs(other as Duration), RangeError, String(other));
    }
  });

  it('may be Infinity where that is asked for, and still nothing odd', () => {
    assert.equal(toMsOrForever(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY);
    assert.equal(toMsOrForever('2s'), 2_000);
    assert.throws(() => toMsOrForever(Number.NEGATIVE_INFINITY), RangeError);
    assert.throws(() => toMsOrForever(Number.NaN), RangeError);
  });

  it('reads as people write it', () => {
    const table: [number, string][] = [
      [0, '0ms'],
      [250.4, '250ms'],
      [30_000, '30s'],
      [60_000, '1m'],
      [7_200_000, '2h'],
      [345_600_000, '4d'],
      [Number.POSITIVE_INFINITY, 'Infinity'],
      [Number.NaN, 'NaN'],
    ];
    for (const [ms, text] of table) assert.equal(formatMs(ms), text);
  });
});
