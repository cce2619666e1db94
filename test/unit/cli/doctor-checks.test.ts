import assert from 'node:assert/strict';
import type { BusDescription } from '../../../src/consume/handlers/bus-description.js';
import { UnreadableLettersError } from '../../../src/operate.js';
import { judge } from '../../../src/oversight/doctor/checks.js';
import type { Facts, ManagementFacts } from '../../../src/oversight/doctor/facts.js';
import type { Finding } from '../../../src/oversight/doctor/finding.js';

const NOW = Date.UTC(2026, 0, 5);

const application: BusDescription = {
  service: 'mailer',
  prefix: 'hopline',
  delayPrefix: 'hopline',
  exchange: 'hopline.events',
  queues: [],
  operatorControl: true,
  plan: {
    exchanges: [{ name: 'hopline.events', type: 'topic' }],
    queues: [{ name: 'mailer', arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 20 } }],
    bindings: [
      { source: 'hopline.events', destination: 'mailer', destinationType: 'queue', pattern: 'email.*' },
    ],
  },
};

const node = {
  name: 'rabbit@a',
  running: true,
  memoryAlarm: false,
  diskAlarm: false,
  partitions: [],
  memoryShare: 0.1,
  diskShare: 0.1,
};

const management: ManagementFacts = {
  cluster: 'rabbit@a',
  nodes: [node],
  queues: [
    {
      name: 'mailer',
      type: 'quorum',
      exclusive: false,
      durable: true,
      autoDelete: false,
      arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 20 },
      members: ['rabbit@a'],
      online: ['rabbit@a'],
      unsettled: 0,
      departing: 0,
    },
  ],
  bindings: [
    {
      source: 'hopline.events',
      destination: 'mailer',
      destinationType: 'queue',
      pattern: 'email.*',
      propertiesKey: 'email.%2A',
    },
    {
      source: '',
      destination: 'mailer',
      destinationType: 'queue',
      pattern: 'mailer',
      propertiesKey: 'mailer',
    },
  ],
  policies: [],
};

const healthy: Facts = {
  address: 'broker:5672/',
  broker: { product: 'RabbitMQ', version: '3.10.8', cluster: 'rabbit@a', blocked: undefined },
  application,
  missing: [],
  queues: new Map([['mailer', { ready: 3, consumers: 2 }]]),
  leftOver: [],
  paused: [],
  deadLetters: [{ deadQueue: 'mailer.dead', count: 0, oldest: undefined }],
  lost: 0,
  management,
  whyNoManagement: undefined,
  now: NOW,
};

/** What is said that is not fine, beside the healthy facts. */
function complaints(facts: Partial<Facts>): Finding[] {
  return judge({ ...healthy, ...facts }).filter(({ severity }) => severity !== 'ok');
}

function only(facts: Partial<Facts>): Finding {
  const found = complaints(facts);
  assert.equal(found.length, 1, JSON.stringify(found));
  return found[0] as Finding;
}

const managed = (given: Partial<ManagementFacts>) => ({ management: { ...management, ...given } });

describe('what doctor says', () => {
  it('of a healthy broker is only that it is fine', () => {
    assert.deepEqual(complaints({}), []);
    assert.deepEqual(
      judge(healthy).map(({ check }) => check),
      ['broker', 'alarms', 'topology', 'consumers', 'dead letters'],
    );
  });

  it('names a broker that is too old, or is another', () => {
    for (const broker of [
      { product: 'RabbitMQ', version: '3.9.29', cluster: 'rabbit@a', blocked: undefined },
      { product: 'Other', version: '9.0.0', cluster: 'rabbit@a', blocked: undefined },
    ]) {
      const { severity, check } = only({ broker });
      assert.deepEqual([severity, check], ['error', 'broker']);
    }
    for (const version of ['3.10.0', '3.13.7', '4.0.5', '4.3.6'])
      assert.deepEqual(complaints({ broker: { ...healthy.broker, version } }), []);
  });

  it('says of a queue that nobody consumes whether an operator has paused it, as a whole or by its lane', () => {
    const queues = new Map([['mailer.high', { ready: 2, consumers: 0 }]]);
    const lanes = [{ name: 'high', queue: 'mailer.high' }];
    const mailer = {
      name: 'mailer',
      kind: 'work',
      lanes,
      type: 'quorum',
      deliveryLimit: 20,
      maxPriority: undefined,
      keptForMs: undefined,
      bindings: [],
    } as const;
    const own = { queues, application: { ...application, queues: [mailer] } };
    for (const paused of ['mailer', 'mailer.high']) {
      const { severity, message, help } = only({ ...own, paused: ['other', paused] });
      assert.deepEqual(
        [severity, message, help],
        [
          'warning',
          "an operator has paused queue 'mailer.high', in which 2 messages wait",
          `hopline resume ${paused} lets it go on.`,
        ],
      );
    }
    assert.match(only({ ...own, paused: ['other'] }).message, /^nobody consumes queue 'mailer.high'/);
  });

  it('names alarms, by node where the management API tells, in the broker’s words where it does not', () => {
    const { message } = only(managed({ nodes: [{ ...node, memoryAlarm: true, diskAlarm: true }] }));
    assert.equal(message, 'node rabbit@a has a memory and disk alarm');
    const said = complaints({
      management: undefined,
      broker: { ...healthy.broker, blocked: 'low on memory' },
    });
    assert.equal(said[0]?.message, 'the broker blocks publishers: low on memory');
    assert.equal(said[0]?.severity, 'error');
  });

  it('names each thing that is missing', () => {
    const found = complaints({ missing: ["queue 'mailer'", "exchange 'hopline.dead'"] });
    assert.deepEqual(
      found.map(({ message }) => message),
      ["queue 'mailer' is missing", "exchange 'hopline.dead' is missing"],
    );
  });

  it('names queues without consumers: an error where something waits', () => {
    const queues = new Map([
      ['empty', { ready: 0, consumers: 0 }],
      ['waiting', { ready: 1, consumers: 0 }],
      ['gone', undefined],
    ]);
    assert.deepEqual(
      complaints({ queues }).map(({ severity, message }) => [severity, message]),
      [
        ['warning', "nobody consumes queue 'empty', in which 0 messages wait"],
        ['error', "nobody consumes queue 'waiting', in which 1 message waits"],
      ],
    );
  });

  it('counts dead letters and says how old the oldest is, and counts what was lost', () => {
    const oldest = new Date(NOW - 2 * 86_400_000);
    const { message, help } = only({ deadLetters: [{ deadQueue: 'mailer.dead', count: 40_000, oldest }] });
    assert.equal(message, "40,000 dead letters in 'mailer.dead', the oldest 2d old");
    assert.match(help ?? '', /hopline failed --queue mailer\.dead.*log/);
    assert.match(only({ lost: 1 }).message, /^1 message that no queue took/);
  });

  it('names dead letters that end their connections, with what moves them, or why none was looked at', () => {
    const letters = { deadQueue: 'mailer.dead', count: 6, oldest: undefined };
    const found = { deadQueue: 'mailer.dead', count: 2, waiting: 6, error: undefined };
    const [, warning] = complaints({ deadLetters: [{ ...letters, unreadable: found }] });
    assert.equal(warning?.check, 'unreadable');
    assert.match(warning?.message ?? '', /^2 letters in mailer\.dead end each connection/);
    assert.match(warning?.help ?? '', /set_policy move-head '\^mailer\\\.dead\$' '{"max-length":4,/);
    const whyNotRead = new UnreadableLettersError('mailer.dead', 'too many of them', new Error('lost'));
    const [, why] = complaints({ deadLetters: [{ ...letters, whyNotRead }] });
    assert.deepEqual([why?.check, why?.message], ['unreadable', 'too many of them']);
    assert.match(why?.help ?? '', /hopline failed flush --queue mailer\. /);
  });

  it('compares arguments, which nobody can change later', () => {
    const [queue] = management.queues;
    const { message } = only(
      managed({
        queues: [
          { ...(queue as typeof queue & object), arguments: { 'x-queue-type': 'quorum', 'x-max-length': 5 } },
        ],
      }),
    );
    assert.equal(
      message,
      "queue 'mailer' has other arguments: x-delivery-limit is not set, wanted 20; x-max-length is 5, wanted not set",
    );
  });

  it('names nodes that are down or split, and quorum queues with too few copies', () => {
    const nodes = [
      node,
      { ...node, name: 'rabbit@b', running: false },
      { ...node, name: 'rabbit@c', partitions: ['rabbit@a'] },
    ];
    const messages = complaints({
      ...managed({ nodes }),
      broker: { ...healthy.broker, version: '4.0.5' },
    }).map(({ message }) => message);
    assert.deepEqual(messages, [
      'node rabbit@b is down',
      'node rabbit@c does not see rabbit@a',
      "quorum queue 'mailer' has 1 of 3 copies",
    ]);
  });

  it('names policies that take messages away from the queues of the application, and no others', () => {
    const policy = { name: 'ttl', kind: 'operator policy', appliesTo: 'queues' } as const;
    const harmful = { 'message-ttl': 1_000 };
    const { message } = only(managed({ policies: [{ ...policy, pattern: '^mail', definition: harmful }] }));
    assert.equal(message, "operator policy 'ttl' sets message-ttl on queue 'mailer'");
    for (const harmless of [
      { ...policy, pattern: '^other', definition: harmful },
      { ...policy, pattern: '.*', definition: { 'queue-leader-locator': 'balanced' } },
      { ...policy, pattern: '.*', appliesTo: 'exchanges', definition: harmful },
    ])
      assert.deepEqual(complaints(managed({ policies: [harmless] })), []);
  });

  it('names bindings that no handler takes', () => {
    const extra = { source: 'hopline.events', destinationType: 'queue', propertiesKey: 'k' } as const;
    const bindings = [
      ...management.bindings,
      { ...extra, destination: 'mailer', pattern: 'old.key' },
      { ...extra, destination: 'of.another.service', pattern: 'old.key' },
    ];
    const { message } = only(managed({ bindings }));
    assert.equal(
      message,
      "queue 'mailer' is bound to 'old.key' of exchange 'hopline.events', which no handler takes",
    );
  });

  it('names queues that are left over, and what stands beside one that is gone', () => {
    const left = { name: 'mailer.ra', kind: 'work', of: 'mailer.ra', ready: 0, isBound: true } as const;
    const beside = { of: 'mailer.ra', ready: 0, isBound: false };
    const said = (leftOver: Facts['leftOver']) => {
      const { severity, message } = only({ leftOver });
      return `${severity}: ${message}`;
    };
    assert.equal(
      said([left]),
      "warning: queue 'mailer.ra' is bound, and fills: the application does not declare it, and nobody consumes it; 0 messages wait in it",
    );
    assert.match(
      said([{ ...left, ready: 1, isBound: false }]),
      /^error: .* is left over: .*; 1 message waits in it$/,
    );
    assert.equal(
      said([{ ...beside, name: 'mailer.ra.land', kind: 'landing' }]),
      "warning: queue 'mailer.ra.land' is left over: its queue 'mailer.ra' is gone",
    );
    const dead = { ...beside, name: 'mailer.ra.dead', kind: 'dead' } as const;
    assert.equal(said([dead]), "warning: queue 'mailer.ra.dead' is left over: its queue 'mailer.ra' is gone");
    assert.equal(
      said([{ ...dead, ready: 2 }]),
      "error: 2 dead letters in 'mailer.ra.dead', whose queue 'mailer.ra' is gone",
    );
  });

  it('says what it could not look at, and why', () => {
    const { severity, message } = only({ management: undefined, whyNoManagement: 'connection refused' });
    assert.equal(severity, 'unknown');
    assert.match(
      message,
      /policies, left-over bindings and left-over queues were not looked at: connection refused/,
    );
    assert.match(only({ application: undefined }).help ?? '', /--app/);
    const cluster = [node, { ...node, name: 'b' }, { ...node, name: 'c' }];
    const members = cluster.map(({ name }) => name);
    const queues = management.queues.map((queue) => ({ ...queue, members, online: members }));
    assert.match(only(managed({ nodes: cluster, queues })).help ?? '', /advanced\.config/);
  });
});
