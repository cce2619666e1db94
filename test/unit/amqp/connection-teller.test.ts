import assert from 'node:assert/strict';
import type { ChannelModel } from 'amqplib';
import type { BusEvents, ConnectionRole } from '../../../src/events.js';
import { Names } from '../../../src/topology/names.js';
import type { Connection } from '../../../src/transport/amqp/connection/connection.js';
import { connectionTeller } from '../../../src/transport/amqp/connection/connection-teller.js';
import { ToldOutages } from '../../../src/transport/amqp/connection/told-outages.js';
import { Emitter } from '../../../src/util/emitter.js';
import { silentLogger } from '../../../src/util/logger.js';

const A = '10.0.0.1:5672';
const B = '10.0.0.2:5672';

describe('the log of two connections', () => {
  let lines: string[];
  let events: string[];
  let publish: ReturnType<typeof connectionTeller>;
  let consume: ReturnType<typeof connectionTeller>;
  const refused = new Error('connect ECONNREFUSED');
  const model = { connection: { heartbeat: 0 } } as unknown as ChannelModel;

  beforeEach(() => {
    lines = [];
    events = [];
    const bus = new Emitter<BusEvents>(() => {});
    bus.on('connection.down', ({ connection, address }) => events.push(`${connection} ${address}`));
    const warn = (fields: object) => {
      const { connection, address, error } = fields as Record<string, string>;
      lines.push(`${connection} ${address} ${error}`);
    };
    const outages = new ToldOutages();
    const options = {
      service: 's',
      names: new Names(),
      events: bus,
      log: { ...silentLogger, warn },
      maxInFlight: 1,
      maxInFlightBytes: 1,
    };
    const teller = (role: ConnectionRole) =>
      connectionTeller({ role } as Connection, options, { worstMs: 0 }, outages);
    publish = teller('publish');
    consume = teller('consume');
  });

  it('tells once of each attempt that fails for both in the same way; the events are of each', () => {
    for (let attempt = 0; attempt < 3; attempt += 1)
      for (const each of [consume, publish]) each.down(refused, A, 100);
    assert.deepEqual(lines, Array(3).fill(`consume ${A} connect ECONNREFUSED`));
    assert.equal(events.length, 6);
  });

  it('tells of what only one of them has, and of each address', () => {
    consume.down(refused, A, 100);
    publish.down(new Error('read ECONNRESET'), A, 100);
    publish.down(refused, B, 100);
    consume.down(refused, B, 100);
    publish.down(refused, A, 100);
    assert.deepEqual(lines, [
      `consume ${A} connect ECONNREFUSED`,
      `publish ${A} read ECONNRESET`,
      `publish ${B} connect ECONNREFUSED`,
    ]);
  });

  it('tells of the one that stays down when the other, which told of both, is up again', () => {
    for (const each of [consume, publish]) each.down(refused, A, 100);
    consume.up(model, A);
    publish.down(refused, A, 100);
    assert.deepEqual(lines, [`consume ${A} connect ECONNREFUSED`, `publish ${A} connect ECONNREFUSED`]);
  });
});
