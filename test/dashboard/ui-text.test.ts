import assert from 'node:assert/strict';
import {
  agoText,
  bytesText,
  countedText,
  countText,
  durationText,
  momentText,
  rateText,
  shareText,
} from '../../src/dashboard/ui/text.js';

const plain = (text: string | undefined) => text?.replaceAll('\u00a0', ' ');

/** Each value with its text. */
function reads<Value>(
  text: (value: Value) => string | undefined,
  rows: readonly (readonly [Value, string])[],
): void {
  for (const [value, expected] of rows) assert.equal(plain(text(value)), expected, String(value));
}

describe('a figure on a page', () => {
  it('is grouped by thousands, and has its unit beside it on the same line', () => {
    reads(countText, [
      [0, '0'],
      [999, '999'],
      [12_431, '12,431'],
      [1_234_567, '1,234,567'],
    ]);
    assert.equal(countedText(1, 'message'), '1\u00a0message');
    assert.equal(plain(countedText(2, 'retry', 'retries')), '2 retries');
  });

  it('is a rate by the second, and by the minute or hour where that says more', () => {
    reads(rateText, [
      [0, '0/s'],
      [0.1, '0.1/s'],
      [3.44, '3.4/s'],
      [12.4, '12/s'],
      [1_034.2, '1,034/s'],
      [0.05, '3/min'],
      [0.001, '3.6/h'],
    ]);
  });

  it('is a duration in the two units that say most, and never 60 of one', () => {
    reads(durationText, [
      [0, '0 ms'],
      [0.42, '0.4 ms'],
      [840, '840 ms'],
      [999.6, '1 s'],
      [2_440, '2.4 s'],
      [59_400, '59 s'],
      [59_900, '1 min'],
      [192_000, '3 min 12 s'],
      [3_599_900, '1 h'],
      [7_500_000, '2 h 5 min'],
      [86_399_000, '1 d'],
      [86_400_000 * 3 + 3_600_000 * 4, '3 d 4 h'],
    ]);
  });

  it('is a size in thousands, and a share in percent that is 0 only if it is none', () => {
    reads(bytesText, [
      [640, '640 B'],
      [7_000, '7 kB'],
      [999_600, '1 MB'],
      [1_234_567, '1.2 MB'],
    ]);
    reads(shareText, [
      [0, '0 %'],
      [0.0001, '< 0.1 %'],
      [0.004, '0.4 %'],
      [0.123, '12 %'],
      [1, '100 %'],
    ]);
  });

  it('is an age that is true at its unit, and a moment in UTC', () => {
    const now = Date.UTC(2026, 10, 30, 12);
    reads(
      (ms: number) => agoText(now - ms, now),
      [
        [0, 'just now'],
        [12_900, '12 s ago'],
        [3_599_999, '59 min ago'],
        [47 * 3_600_000, '47 h ago'],
        [4 * 86_400_000, '4 d ago'],
        [-180_000, 'in 3 min'],
      ],
    );
    assert.equal(momentText(now), '2026-11-30 12:00:00 UTC');
    assert.equal(momentText(Number.NaN), undefined);
  });
});
