import assert from 'node:assert/strict';
import { freshFor } from '../../src/dashboard/site/fresh-for.js';
import type { SeenDelay, SeenNode, SeenProcess } from '../../src/dashboard/site/seen.js';
import type { ManagedQueue } from '../../src/oversight/management/managed.js';
import type { Management } from '../../src/oversight/management/management.js';
import { drawn, seenOf, siteOf, watchOf } from './drawn.js';

const level = (
  queue: string,
  length: number | undefined,
  dueMs: number | undefined,
  stands = false,
): SeenDelay => ({
  ...{ queue, length, dueMs, stands },
});

describe('the page of delayed messages', () => {
  it('says how many are due within which time at the latest, and in which levels they are', async () => {
    const delays = [
      level('hopline.delay.1.s30', 7, 60_000),
      level('hopline.delay.1.h1', 1_500, 7_200_000),
      level('hopline.delay.1.d8', undefined, 1_382_400_000),
      level('hopline.delay.1.t1', 0, 100),
      level('hopline.delay.7.x', 2, undefined),
    ];
    const { text } = await drawn('delayed', siteOf({ watch: watchOf({ delays }) }));
    assert.match(text, /Waiting 1,509 without 1 level that told nothing All are due within 2 h/);
    assert.match(text, /within 1 min 7 .*within 1 d 1,500 .*later, or not known 2/);
    assert.match(text, /hopline\.delay\.1\.d8 – not known: it has not told/);
    assert.match(text, /besides 1 empty level/);
  });

  it('says what to do with those that no queue took, and with levels that stand', async () => {
    const watch = watchOf({ lost: 3, delays: [level('hopline.delay.1.s30', 7, 60_000, true)] });
    const { text, html } = await drawn('delayed', siteOf({ watch }));
    assert.match(
      text,
      /Due, and taken by no queue: 3 messages .*hopline failed retry --queue hopline\.delay\.lost/,
    );
    assert.match(html, /href="\/ops\/shop\/failures\?queue=hopline\.delay\.lost"/);
    assert.match(text, /hopline\.delay\.1\.s30: messages are due there and stay/);
  });

  it('does not take what is not known for nothing', async () => {
    const { text } = await drawn('delayed', siteOf({ watch: watchOf({ lost: undefined, reached: false }) }));
    assert.match(text, /The broker can't be asked/);
    assert.match(text, /Nothing is known of the delays/);
    assert.doesNotMatch(text, /Waiting 0/);
    const none = await drawn('delayed', siteOf({ watch: watchOf({ delays: [level('a', 0, 100)] }) }));
    assert.match(none.text, /Waiting 0 .*No message is delayed now/);
  });
});

const process = (parts: Partial<SeenProcess>): SeenProcess => ({
  ...{ service: 'shop', host: 'one', pid: 7, version: '1.4.2', state: 'started', supervised: true },
  ...{ uptimeMs: 3_600_000, memory: 123_400_000, lagMs: 12 },
  slotGroups: [
    { queues: ['orders'], lanes: [], slots: 10, running: 4, waiting: 2, held: false, busyMs: 0 },
    { queues: ['mail'], lanes: [], slots: 5, running: 5, waiting: 0, held: true, busyMs: 0 },
  ],
  ...parts,
});

describe('the page of workers', () => {
  it('lists services and their processes with units, and what is held', async () => {
    const processes = [
      process({}),
      process({ pid: 8, lagMs: undefined, version: undefined, supervised: false }),
    ];
    const { text, html } = await drawn('workers', siteOf({ watch: watchOf({ processes }) }));
    assert.match(text, /shop 2 1\.4\.2, no version told 18 of 30 247 MB/);
    assert.match(text, /shop one 7 1\.4\.2 started 1 h 123 MB 12 ms 9 of 15 2 mail/);
    assert.match(text, /shop one 8 – not known: its bus has no option version/);
    assert.match(
      text,
      /Processes of one service run in several versions shop: 1\.4\.2 \(1 process\), no version told \(1 process\)/,
    );
    assert.match(html, /action="\/ops\/shop\/workers\/shop\/restart"/);
    assert.match(
      text,
      /1 process of shop will be replaced, one after the other on each machine\. Not supervised, and not replaced: 1\./,
    );
  });

  it('has no button for what no supervisor replaces, nor where actions are not allowed', async () => {
    const watch = watchOf({ processes: [process({ supervised: false })] });
    const { text, html } = await drawn('workers', siteOf({ watch }));
    assert.match(text, /not supervised/);
    assert.doesNotMatch(html, /method="post"/);
    const reader = await drawn('workers', siteOf({ watch: watchOf({ processes: [process({})] }) }), {
      context: { mayAct: false },
    });
    assert.doesNotMatch(reader.html, /method="post"/);
  });

  it('is filtered, bounded, and in the same order each time', async () => {
    const processes = Array.from({ length: 300 }, (_none, pid) =>
      process({ pid: 1_000 - pid, host: `h${pid % 3}` }),
    );
    const all = await drawn<{ workers: { pid: number; host: string }[] }>(
      'workers',
      siteOf({ watch: watchOf({ processes }) }),
    );
    assert.equal(all.model.workers.length, 200);
    assert.match(all.text, /200 of 300/);
    const turned = watchOf({ processes: processes.toReversed() });
    assert.deepEqual((await drawn('workers', siteOf({ watch: turned }))).model, all.model);
    const some = await drawn<{ workers: unknown[] }>('workers', siteOf({ watch: turned }), {
      query: 'text=H1',
    });
    assert.equal(some.model.workers.length, 100);
    assert.match(
      (await drawn('workers', siteOf({ watch: turned }), { query: 'text=nowhere' })).text,
      /No process has 'nowhere'/,
    );
  });

  it('says what to do where none answers', async () => {
    assert.match(
      (await drawn('workers', siteOf({ watch: watchOf({}) }))).text,
      /No process answers Start one with hopline work/,
    );
  });
});

const queue = (name: string, members: number, online: number): ManagedQueue => {
  const nodes = ['rabbit@a', 'rabbit@b', 'rabbit@c'].slice(0, members);
  return {
    ...{ name, type: members === 0 ? 'classic' : 'quorum', exclusive: false, durable: true },
    ...{ autoDelete: false, arguments: {} },
    ...{ members: nodes, online: nodes.slice(0, online), unsettled: 0, departing: 0 },
  };
};

const node = (parts: Partial<SeenNode>): SeenNode => ({
  ...{
    name: 'rabbit@a',
    running: true,
    memoryAlarm: false,
    diskAlarm: false,
    memoryShare: 0.42,
    diskShare: 0.005,
  },
  partitions: [],
  ...parts,
});

describe('the page of the broker', () => {
  const managed = (queues: () => Promise<ManagedQueue[]>) =>
    ({ address: 'rabbit:15672', queues }) as unknown as Management;
  const address = "rabbit:5672, vhost '/'";

  it('says how near an alarm each node is, and which queues are in danger, those first', async () => {
    const queues = [
      queue('whole', 3, 3),
      queue('single', 1, 1),
      queue('gone', 3, 1),
      queue('near', 3, 2),
      queue('old', 0, 0),
    ];
    const broker = {
      ...seenOf().broker,
      ...{ cluster: 'shop', connections: 1_203, connectionChurn: 0.5, critical: ['near', 'gone'] },
      nodes: [
        node({}),
        node({ name: 'rabbit@b', memoryShare: 0.9 }),
        node({ name: 'rabbit@c', memoryAlarm: true, diskShare: undefined }),
        node({ name: 'rabbit@d', running: false, partitions: ['rabbit@a'] }),
      ],
    };
    const site = siteOf({
      broker: address,
      management: managed(async () => queues),
      watch: watchOf({ broker }),
    });
    const { text } = await drawn('broker', site);
    assert.match(text, /RabbitMQ 4\.3\.6 rabbit:5672, vhost '\/', cluster shop/);
    assert.match(
      text,
      /Takes messages yes Quorum queues 4 1 lost, 1 critical, 0 reduced Connections 1,203 Opened and closed 0\.5\/s/,
    );
    assert.match(text, /rabbit@a running 42 % 0\.5 % none/);
    assert.match(text, /rabbit@c running memory alarm – not known/);
    assert.match(
      text,
      /Queues without a majority, which stand still: 1 Start the nodes that their members are on: gone/,
    );
    assert.match(text, /Not running: rabbit@d/);
    assert.match(text, /rabbit@d does not see rabbit@a/);
    assert.match(
      text,
      /gone lost 1 of 3 rabbit@b, rabbit@c near critical 2 of 3 rabbit@c single whole 1 of 1 whole whole 3 of 3/,
    );
    assert.match(text, /Queues that stand still when one more node is lost: 1/);
  });

  it('says how to give the address of the management API, without taking what is not known for 0', async () => {
    const { text } = await drawn(
      'broker',
      siteOf({ broker: address, management: undefined, watch: watchOf({}) }),
    );
    assert.match(text, /hopline dashboard --management/);
    assert.match(text, /Connections – not known: only the management API tells/);
  });

  it('says that the management API does not answer', async () => {
    const away = managed(async () => Promise.reject(new Error('connect ECONNREFUSED')));
    const { text } = await drawn('broker', siteOf({ broker: address, management: away, watch: watchOf({}) }));
    assert.match(text, /the management API does not answer: connect ECONNREFUSED/);
  });

  it('says that the broker takes no messages', async () => {
    const watch = watchOf({ broker: { ...seenOf().broker, blocked: true } });
    const { text } = await drawn('broker', siteOf({ broker: address, management: undefined, watch }));
    assert.match(text, /The broker takes no messages An alarm is on/);
  });
});

describe('an answer that is asked for once within a time', () => {
  it('serves all who ask meanwhile, and is asked for again when it is old or has failed', async () => {
    let [now, asked] = [0, 0];
    const answers: (() => Promise<number>)[] = [];
    const ask = freshFor({ monotonic: () => now }, 100, () => {
      asked += 1;
      return answers.shift()?.() ?? Promise.resolve(asked);
    });
    assert.deepEqual(await Promise.all([ask(), ask()]), [1, 1]);
    now = 100;
    assert.equal(await ask(), 2);
    now = 200;
    answers.push(() => Promise.reject(new Error('away')));
    await assert.rejects(ask(), /away/);
    assert.equal(await ask(), 4);
  });
});
