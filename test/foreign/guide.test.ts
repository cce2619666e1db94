import assert from 'node:assert/strict';
import { Bus, type MessageContext, rabbitmq } from '../../src/index.js';
import { codeBlocks } from '../project/markdown.js';
import { read } from '../project/repository.js';
import { eventually } from '../support/eventually.js';
import { type ForeignBroker, foreignBroker } from './broker.js';
import * as clients from './clients.js';
import { installed } from './installed.js';
import { journeysOf } from './journey.js';
import { runCode } from './programs.js';

/** A broker boots first, and may have to be unpacked. */
const ONCE_MS = 300_000;

const blocks = codeBlocks(read('docs/foreign-clients.md'));
const here = await installed();

/** The sender that the guide has for a client: the one block in which this is. */
function senderWith(mark: string): { readonly language: string; readonly code: string } {
  const found = blocks.filter(({ language, code }) => language !== 'ts' && code.includes(mark));
  assert.equal(found.length, 1, `blocks with ${mark}`);
  return found[0] as (typeof found)[number];
}

type Handled = Pick<MessageContext, 'messageId' | 'publishedAt' | 'contentType' | 'correlationId'> & {
  readonly payload: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
};

describe('the guide to other clients: the sender and the handler of', function () {
  this.timeout(90_000);
  let broker: ForeignBroker;
  let bus: Bus;
  const handled = new Map<string, Handled[]>();

  const seen = (payload: unknown, context: MessageContext): void => {
    const { messageId, publishedAt, contentType, correlationId, headers } = context;
    const all = handled.get(context.routingKey) ?? [];
    handled.set(context.routingKey, [
      ...all,
      { payload, messageId, publishedAt, contentType, correlationId, headers },
    ]);
  };

  before(async function () {
    this.timeout(ONCE_MS);
    broker = await foreignBroker();
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    bus = new Bus({ service: 'guide', transport: rabbitmq({ url: broker.node.url }), log: silent });
    const devices = { exchange: { name: 'amq.topic', declare: false } } as const;
    bus.handle('order.placed', seen);
    bus.handle('task.orders.place', seen);
    bus.handle('plant.*.temperature', seen, devices);
    bus.handle('plant.*.switch', seen, { ...devices, body: 'text' });
    const question = async ({ celsius }: { celsius: number }, context: MessageContext) => {
      seen({ celsius }, context);
      await context.publish(String(context.headers['x-reply-to-topic']), { warm: celsius > 20 }, devices);
    };
    bus.handle('plant.*.question', question, devices);
    await bus.start();
  });

  beforeEach(() => handled.clear());
  after(() => bus?.stop());

  /** Runs it against the run's broker. Resolves with what it printed. */
  const send = (mark: string): Promise<string> => {
    const { language, code } = senderWith(mark);
    const { host, node, mqttPort, stompPort, isOld } = broker;
    const runnable = code
      .replaceAll('localhost', host)
      .replaceAll(/\b5672\b/g, String(node.port))
      .replaceAll(/\b1883\b/g, String(mqttPort))
      .replaceAll(/\b61613\b/g, String(stompPort));
    return runCode(language, isOld ? runnable.replaceAll('/exchanges/', '/exchange/') : runnable);
  };

  const one = async (key: string): Promise<Handled> => {
    const [message] = await eventually(() => {
      const messages = handled.get(key) ?? [];
      assert.equal(messages.length, 1, `messages with the key ${key}`);
      return messages;
    });
    return message as Handled;
  };

  const isNow = (moment: Date | undefined) => assert.ok(Math.abs(Number(moment) - Date.now()) < 60_000);

  const of = (client: clients.ForeignClient, test: () => Promise<void>): void => {
    if (here.includes(client)) it(client.name, test);
  };

  for (const [client, mark, isDated] of [
    [clients.pika, 'import json, time, uuid, pika', true],
    [clients.bunny, "require 'bunny'", true],
    [clients.phpAmqp, '<?php', true],
    [clients.go, 'package main', true],
    [clients.mojo, 'use Mojo::RabbitMQ', true],
    [clients.stomp, 'stomp.Connection12', false],
    [clients.rhea, 'import rhea', true],
  ] as const)
    of(client, async () => {
      await send(mark);
      const { payload, messageId, publishedAt, contentType } = await one('order.placed');
      assert.deepEqual(payload, { id: 7 });
      assert.match(String(messageId), /^(order-7|[\da-f-]{32,36})$/);
      assert.equal(contentType, 'application/json');
      if (isDated) isNow(publishedAt);
      else assert.equal(publishedAt, undefined);
    });

  of(clients.amqpTools, async () => {
    await send('amqp-publish --url');
    const { payload, messageId, publishedAt } = await one('order.placed');
    assert.deepEqual(
      { payload, messageId, publishedAt },
      {
        payload: { id: 7 },
        messageId: undefined,
        publishedAt: undefined,
      },
    );
  });

  if (here.includes(clients.pika))
    it('pika, whose headers are numbers, decimals, dates and bytes, as JavaScript has them', async function () {
      this.timeout(ONCE_MS);
      const attempts = (await journeysOf(clients.pika)).map(({ attempts }) => attempts[0]);
      const named = (key: string) => attempts.find((attempt) => attempt?.context.routingKey.endsWith(key));
      const { 'beyond-int32': exact, 'beyond-double': rounded } =
        named('whole-numbers')?.context.headers ?? {};
      assert.deepEqual([exact, rounded], [2 ** 31, 2 ** 53]);
      assert.deepEqual(JSON.parse(JSON.stringify(named('decimals')?.context.headers)), {
        price: { '!': 'decimal', value: { places: 1, digits: 199 } },
        whole: { '!': 'decimal', value: { places: 0, digits: 7 } },
        negative: { '!': 'decimal', value: { places: 2, digits: -125 } },
      });
      assert.deepEqual(named('moments')?.context.headers.at, new Date('2024-02-29T12:00:00Z'));
      assert.deepEqual(named('json.bytes')?.context.headers.digest, Buffer.from([0xff, 0x00, 0x80]));
    });

  of(clients.celery, async () => {
    await send('import celery');
    const { payload, messageId, correlationId, headers } = await one('task.orders.place');
    const [args, kwargs] = payload as [unknown[], object];
    assert.deepEqual(
      { args, kwargs, messageId },
      {
        args: [7],
        kwargs: { currency: 'EUR' },
        messageId: undefined,
      },
    );
    assert.equal(headers.task, 'orders.place');
    assert.equal(headers.id, correlationId);
  });

  of(clients.mosquitto, async () => {
    await send('mosquitto_pub');
    const temperature = await one('plant.1.temperature');
    assert.deepEqual(temperature.payload, { celsius: 21.5 });
    assert.equal(temperature.messageId, undefined);
    assert.equal((await one('plant.1.switch')).payload, 'ON');
  });

  of(clients.mqtt, async () => {
    if (broker.isOld) {
      // It closes the connection.
      await assert.rejects(send('import mqtt'), /Command failed/);
      assert.equal(handled.size, 0);
      return;
    }
    assert.equal((await send('import mqtt')).trim(), '{"warm":true}');
    const { payload, correlationId, contentType } = await one('plant.1.question');
    assert.deepEqual(
      { payload, correlationId, contentType },
      {
        payload: { celsius: 21.5 },
        correlationId: 'c-1',
        contentType: 'application/json',
      },
    );
  });
});
