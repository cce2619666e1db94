import assert from 'node:assert/strict';
import { codeBlocks, tableRows } from './markdown.js';
import { read } from './repository.js';

/** What the bench calls the README's columns. */
const PEERS = ['**hopline**', 'amqplib, ack each', '@golevelup/nestjs-rabbitmq', 'BullMQ (Redis)'];

/** What the bench calls what the README's rows measure. */
const MEASURES: Readonly<Record<string, string>> = {
  'messages/s': 'messages/s',
  'CPU of client and broker, µs': 'both, µs',
  'memory, MB': 'memory, MB',
};

const readme = read('README.md');
const performance = read('docs/performance.md');

/** The median in a cell like `36,686 (29,410–36,723)`; empty if the section has no such row. */
function measured(section: string, peer: string, measure: string): string {
  const [, text = ''] = performance.split(`### ${section}\n`);
  const [header = [], ...rows] = tableRows(text.split(/^### /m)[0] ?? '');
  const column = header.indexOf(MEASURES[measure] ?? measure);
  assert.ok(column > 0, `docs/performance.md has no column for "${section}: ${measure}"`);
  return rows.find(([name]) => name === peer)?.[column]?.split(' ')[0] ?? '';
}

describe('the README', () => {
  it('opens with an example that is a file of its own', () => {
    const [first] = codeBlocks(readme).filter(({ language }) => language === 'ts');
    assert.equal(first?.example, 'examples/quick-start.ts');
  });

  it('shows the figures of docs/performance.md', () => {
    const figures = tableRows(readme).filter(([label = '']) => label.split(': ')[1] !== undefined);
    assert.ok(figures.length > 4);
    for (const [label = '', ...cells] of figures) {
      const [section = '', measure = ''] = label.split(': ');
      const shown = cells.map((cell) => cell.replaceAll('**', ''));
      const expected = PEERS.map((peer) => measured(section, peer, measure));
      assert.deepEqual(shown, expected, label);
    }
    const [, times] = /such as (\S+) × the CPU of amqplib with `noDelay`/.exec(readme) ?? [];
    assert.ok(
      performance.includes(`| CPU ≤ 1.1 × amqplib with noDelay | ${times} × |`),
      `${times} × is not measured`,
    );
  });

  it('is read in a minute: 115 lines at most', () => {
    assert.ok(readme.trimEnd().split('\n').length <= 115);
  });
});
