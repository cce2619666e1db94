import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { type ChannelModel, connect } from 'amqplib';
import { type ManagedNode, managedNode } from '../cli/managed-node.js';
import { type CodeBlock, codeBlocks } from '../project/markdown.js';
import { read } from '../project/repository.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { pack, Stranger, type Tarball } from './stranger.js';

/** Within which all that a guide shows must be seen. */
const A_MINUTE = 60_000;

/** The queues of the guides' handler: one at a time has a consumer. */
const QUEUES = ['mailer.receipts', 'mailer.SendReceipt'];

interface Section {
  readonly title: string;
  readonly blocks: readonly CodeBlock[];
}

function sectionsOf(page: string): readonly Section[] {
  return read(page)
    .split(/^## /m)
    .slice(1)
    .map((text) => ({ title: text.slice(0, text.indexOf('\n')), blocks: codeBlocks(text) }))
    .filter(({ blocks }) => blocks.length > 0);
}

const quickStart = codeBlocks(read('README.md').split(/^## /m)[0] ?? '');
const gettingStarted = sectionsOf('docs/getting-started.md');

describe('a stranger who follows word for word', function () {
  this.timeout(3 * A_MINUTE);
  let hopline: Tarball;
  let managed: ManagedNode;
  let connection: ChannelModel;
  let stranger: Stranger;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    [managed, hopline] = await Promise.all([managedNode(), pack()]);
    connection = await connect(managed.node.url);
  });

  after(async () => {
    await stranger?.leave();
    await connection?.close();
    await hopline?.remove();
  });

  it('the README is welcomed, in memory', async () => {
    stranger = await Stranger.arrive(hopline);
    for (const block of quickStart) await follow(block);
    await seen('welcome, ada@example.org');
    await stranger.leave();
  });

  describe('the page getting started', () => {
    before(async () => {
      stranger = await Stranger.arrive(hopline);
      stranger.set('MANAGEMENT_URL', managed.managementUrl);
    });

    for (const { title, blocks } of gettingStarted)
      it(`sees what it shows: ${title}`, async () => {
        for (const block of blocks) await follow(block);
      });
  });

  describe('the page of what goes wrong', () => {
    before('takes back what getting started has changed of its first form', async () => {
      for (const { language, about, code } of gettingStarted.flatMap(({ blocks }) => blocks))
        if (language === 'diff') await stranger.change(about, code, { isTakenBack: true });
    });

    for (const { title, blocks } of sectionsOf('docs/first-hour.md'))
      it(`sees what it shows: ${title}`, async () => {
        for (const block of blocks) await follow(block);
      });
  });

  async function follow({ language, about, code, example }: CodeBlock): Promise<void> {
    if (example !== undefined)
      await stranger.write(example.endsWith('.js') ? basename(example) : `src/${basename(example)}`, code);
    else if (language === 'diff') await stranger.change(about, code);
    else if (language === 'sh') for (const line of code.trimEnd().split('\n')) await enter(line);
    else if (language === 'text') await seen(code);
    // The broker is the test's.
    else
      assert.match(
        code,
        /^docker run .*\n$/,
        `nobody knows what to do with a block of ${language || 'no language'}`,
      );
  }

  async function enter(line: string): Promise<void> {
    await stranger.enter(line.replaceAll('127.0.0.1:5672', `127.0.0.1:${managed.node.port}`));
    if (stranger.isWorking) await eventually(consumesOrHasEnded, { timeout: A_MINUTE });
  }

  /** A worker that runs consumes; one that can't has said why. */
  async function consumesOrHasEnded(): Promise<boolean> {
    if (!stranger.isWorking) return true;
    for (const queue of QUEUES) {
      const channel = await connection.createChannel();
      channel.on('error', () => {}); // it isn't there
      const state = await channel.checkQueue(queue).catch(() => undefined);
      if (state) await channel.close();
      if (state && state.consumerCount > 0) return true;
    }
    return false;
  }

  /** What the commands have written holds it. */
  async function seen(shown: string): Promise<void> {
    const pattern = patternOf(shown);
    await eventually(() => assert.match(stranger.transcript, pattern), { timeout: A_MINUTE });
    stranger.transcript = '';
  }
});

/** `…` stands for the rest of a line, or for lines if it stands alone. */
function patternOf(shown: string): RegExp {
  const lines = shown
    .trimEnd()
    .split('\n')
    .map((line) => {
      if (line === '…') return '(?:.*\\n)*?';
      const parts = line.split('…').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
      return `${parts.join('.*')}(?:\\n|$)`;
    });
  return new RegExp(`^${lines.join('')}`, 'm');
}
