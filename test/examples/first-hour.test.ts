import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { type ChannelModel, connect } from 'amqplib';
import { type ManagedNode, managedNode } from '../cli/managed-node.js';
import { codeBlocks } from '../project/markdown.js';
import { read } from '../project/repository.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { Stranger } from './stranger.js';

/** Within which all that the guide shows must be seen. */
const A_MINUTE = 60_000;

/** The queues of the guide's handler: one at a time has a consumer. */
const QUEUES = ['mailer.welcome-email', 'mailer.SendWelcomeEmail'];

const sections = read('docs/first-hour.md')
  .split(/^## /m)
  .slice(1)
  .map((text) => ({ title: text.slice(0, text.indexOf('\n')), blocks: codeBlocks(text) }))
  .filter(({ blocks }) => blocks.length > 0);

describe('the first hour, followed word for word,', function () {
  this.timeout(3 * A_MINUTE);
  let managed: ManagedNode;
  let connection: ChannelModel;
  let stranger: Stranger;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    [managed, stranger] = await Promise.all([managedNode(), Stranger.arrive()]);
    stranger.set('MANAGEMENT_URL', managed.managementUrl);
    connection = await connect(managed.node.url);
  });

  after(async () => {
    await stranger?.leave();
    await connection?.close();
    await managed?.node.stop();
  });

  /** A worker that runs consumes; one that can't has said why. */
  async function isAtWork(): Promise<boolean> {
    if (stranger.hasEnded) return true;
    for (const queue of QUEUES) {
      const channel = await connection.createChannel();
      channel.on('error', () => {}); // it isn't there
      const state = await channel.checkQueue(queue).catch(() => undefined);
      if (state) await channel.close();
      if (state && state.consumerCount > 0) return true;
    }
    return false;
  }

  async function enter(line: string): Promise<void> {
    await stranger.enter(line.replaceAll('127.0.0.1:5672', `127.0.0.1:${managed.node.port}`));
    if (/(^| )node /.test(line)) await eventually(isAtWork, { timeout: A_MINUTE });
  }

  for (const { title, blocks } of sections)
    it(`shows what it says: ${title}`, async () => {
      for (const { language, code, example, file } of blocks) {
        if (example !== undefined) await stranger.write(`src/${basename(example)}`, code);
        else if (file !== undefined) await stranger.write(file, code);
        else if (language === 'diff') await stranger.change('src/app.ts', code);
        else if (language === 'sh') for (const line of code.trimEnd().split('\n')) await enter(line);
        else if (language === 'text') await seen(code);
        else assert.fail(`nobody knows what to do with a block of ${language || 'no language'}`);
      }
    });

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
