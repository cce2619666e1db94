import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { hopline } from '../cli/command.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { sharedBroker } from '../support/global-setup.js';
import { removeFromBroker } from './remove-from-broker.js';

const root = resolve(import.meta.dirname, '../../..');
const read = (name: string) => readFileSync(join(root, 'examples/deploy', name), 'utf8');

/** Words behind `hopline work`, by where they stand. */
const commands: Record<string, string[]> = {
  'mailer.service': wordsAfter(read('mailer.service'), /^ExecStart=.*hopline work (.+)$/m),
  'supervisor.conf': wordsAfter(read('supervisor.conf'), /^command=.*hopline work (.+)$/m),
  Dockerfile: listAfter(read('Dockerfile'), /^CMD (\[.+\])$/m),
  ...Object.fromEntries(
    ['mailer', 'digests', 'thumbnails'].map((service) => [
      `compose.yaml, ${service}`,
      listAfter(
        read('compose.yaml'),
        new RegExp(`^  ${service}:\\n    build: .\\n    command: (\\[.+\\])$`, 'm'),
      ),
    ]),
  ),
};

/** Seconds that each gives the supervisor to stop. */
const patience: Record<string, number> = {
  'mailer.service': Number(/^TimeoutStopSec=(\d+)$/m.exec(read('mailer.service'))?.[1]),
  'supervisor.conf': Number(/^stopwaitsecs=(\d+)$/m.exec(read('supervisor.conf'))?.[1]),
  ...Object.fromEntries(
    [...read('compose.yaml').matchAll(/^ {2}(\w+):\n {4}build:[\s\S]+?stop_grace_period: (\d+)s$/gm)].map(
      ([, service, seconds]) => [`compose.yaml, ${service}`, Number(seconds)],
    ),
  ),
};

describe('the examples of deployment', function () {
  this.timeout(60_000);
  let url: string;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    url = (await sharedBroker()).url;
  });
  after(() =>
    removeFromBroker(url, {
      queues: ['mailer.welcome', 'mailer.digest', 'thumbnails.images', 'thumbnails.images.high'],
    }),
  );

  it('run with the commands that stand in them', async () => {
    const runs = Object.entries(commands).map(async ([where, [app = '', ...flags]]) => {
      const module = join(root, app.replace('dist/', 'dist/examples/deploy/'));
      const { code, stdout, stderr } = await hopline(['work', module, ...flags, '--stop-when-empty'], {
        url,
      });
      assert.equal(code, 0, `${where}: ${stdout}${stderr}`);
      assert.match(stdout, /worker 1 is ready/, where);
    });
    assert.equal(runs.length, 6);
    await Promise.all(runs);
  });

  for (const [where, seconds] of Object.entries(patience)) {
    it(`give it more time to stop in ${where} than it gives its processes`, () => {
      const flags = commands[where] ?? [];
      const own = Number.parseInt(flags[flags.indexOf('--stop-timeout') + 1] ?? '', 10);
      assert.ok(seconds > own + 5, `${seconds} s for ${own} s`);
    });
  }
});

function wordsAfter(text: string, line: RegExp): string[] {
  return line.exec(text)?.[1]?.split(' ') ?? [];
}

function listAfter(text: string, line: RegExp): string[] {
  return JSON.parse(line.exec(text)?.[1] ?? '[]') as string[];
}
