import assert from 'node:assert/strict';
import type { BusEvents } from '../../../src/events.js';
import { Names } from '../../../src/topology/names.js';
import type { Connection } from '../../../src/transport/amqp/connection/connection.js';
import { Connections } from '../../../src/transport/amqp/connection/connections.js';
import { rabbitmqSettings } from '../../../src/transport/amqp/options.js';
import { AmqpSession } from '../../../src/transport/amqp/session.js';
import { systemClock } from '../../../src/util/clock.js';
import { Deadline } from '../../../src/util/deadline.js';
import { Emitter } from '../../../src/util/emitter.js';
import { eventually } from '../../support/eventually.js';

const atOnce = () => new Deadline(systemClock, 0);

/** No broker listens on any of these. */
const connectionsTo = () =>
  new Connections(
    rabbitmqSettings({ url: [1, 2, 3].map((port) => `amqp://127.0.0.1:${port}`) }),
    'hopline test',
  );

describe('a connection apart', () => {
  it('is looked for first where the shared one is, which may have left those before it', async () => {
    const connections = connectionsTo();
    connections.publish.address = '127.0.0.1:2';
    const spare = connections.spare();
    const tried: string[] = [];
    const ignore = () => {};
    spare.listen({
      up: ignore,
      down: (_error, address) => void tried.push(address),
      blocked: ignore,
      unblocked: ignore,
    });
    spare.connect(new Deadline(systemClock, Number.POSITIVE_INFINITY)).catch(ignore);
    await eventually(() => assert.ok(tried.length >= 3));
    await spare.close(atOnce());
    await connections.close(atOnce());
    assert.deepEqual(tried.slice(0, 3), ['127.0.0.1:2', '127.0.0.1:3', '127.0.0.1:1']);
  });

  it('is looked for no more by who waited for it in vain', async () => {
    const connections = connectionsTo();
    let closed = 0;
    const spare = {
      listen() {},
      unlisten() {},
      connect: () => Promise.reject(new Error('late')),
      close: async () => {
        closed += 1;
      },
    };
    connections.spare = () => spare as unknown as Connection;
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const session = new AmqpSession(
      connections,
      {
        service: 'test',
        names: new Names(),
        events: new Emitter<BusEvents>(() => {}),
        log,
        maxInFlight: 1,
        maxInFlightBytes: 1,
      },
      (deadline) => connections.close(deadline),
    );
    const sink = { deliver() {}, lost() {} };
    await assert.rejects(session.consume('q', { prefetch: 1, once: true }, sink), /late/);
    assert.equal(closed, 1);
    await session.close(atOnce());
  });
});
