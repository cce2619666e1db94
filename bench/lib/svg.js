/** A bar: its length is the median, its whisker goes from the least to the most. */
/** @typedef {{ label: string, spread: import('./statistics.js').Spread, ours?: boolean }} Bar */

const WIDTH = 760;
const LABEL_WIDTH = 215;
const VALUE_WIDTH = 90;
const BAR_HEIGHT = 18;
const ROW_HEIGHT = 28;
const TOP = 48;

/** Readable on a white page and on a black one; the text follows the reader's choice. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 14px; }
  .note { fill: #59636e; font-size: 12px; }
  .bar { fill: #8c959f; }
  .ours { fill: #e8590c; }
  .whisker { stroke: #1f2328; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .note { fill: #9198a1; }
    .whisker { stroke: #f0f6fc; }
  }`;

/**
 * Horizontal bars, as a file that needs nothing else.
 *
 * @param {{ title: string, note: string, bars: readonly Bar[], text: (value: number) => string }} chart
 */
export function barChart({ title, note, bars, text }) {
  const height = TOP + bars.length * ROW_HEIGHT + 10;
  const most = Math.max(...bars.map(({ spread }) => spread.max), Number.MIN_VALUE);
  const x = (/** @type {number} */ value) =>
    LABEL_WIDTH + (value / most) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}\n</style>`,
    `<text class="title" x="8" y="18">${escaped(title)}</text>`,
    `<text class="note" x="8" y="36">${escaped(note)}</text>`,
    ...bars.map((bar, index) => barLines(bar, TOP + index * ROW_HEIGHT, x, text)),
    '</svg>',
    '',
  ].join('\n');
}

/** @param {Bar} bar @param {number} y @param {(value: number) => number} x @param {(value: number) => string} text */
function barLines({ label, spread, ours }, y, x, text) {
  const middle = y + BAR_HEIGHT / 2;
  const [from, to] = [x(spread.min), x(spread.max)].map((at) => at.toFixed(1));
  const width = Math.max(1, x(spread.median) - LABEL_WIDTH).toFixed(1);
  const line = (/** @type {(string | number)[]} */ ...[x1, y1, x2, y2]) =>
    `<line class="whisker" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
  return [
    `<text x="${LABEL_WIDTH - 8}" y="${middle + 4}" text-anchor="end">${escaped(label)}</text>`,
    `<rect class="bar${ours ? ' ours' : ''}" x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="2"/>`,
    ...(spread.min === spread.max
      ? []
      : [
          line(from, middle, to, middle),
          line(from, middle - 4, from, middle + 4),
          line(to, middle - 4, to, middle + 4),
        ]),
    `<text x="${(x(spread.max) + 8).toFixed(1)}" y="${middle + 4}">${escaped(text(spread.median))}</text>`,
  ].join('\n');
}

/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
