import assert from 'node:assert/strict';
import { Bus, type BusEvents, memory } from 'hopline';
import { Names } from '../../../src/topology/names.js';
import { Deadline } from '../../../src/util/deadline.js';
import { Emitter } from '../../../src/util/emitter.js';
import { silentLogger } from '../../../src/util/logger.js';
import { ManualClock } from '../../../src/util/manual-clock.js';

describe('a process that starts while another has what is paused', () => {
  const LIMITS = { maxInFlight: 10, maxInFlightBytes: 1_000_000 };

  it('waits for it until its start deadline', async () => {
    const clock = new ManualClock();
    const transport = memory({ clock });
    const process = () =>
      new Bus({ service: 'mailer', transport, startDeadline: '1m', log: silentLogger }).handle('k', () => {});
    const first = process();
    await first.start();
    const events = new Emitter<BusEvents>(() => {});
    const session = await transport.open(
      { service: 'another', events, log: silentLogger, ...LIMITS },
      new Deadline(clock, 1_000),
    );
    const { paused } = new Names();
    const message = { exchange: '', routingKey: paused, body: Buffer.from('{"paused":["q"]}') };
    await session.publish({ ...message, properties: {}, mandatory: true, deadlineMs: 1_000 });
    const held = await session.hold(paused, new Deadline(clock, 1_000));
    const second = process();
    const starting = second.start();
    await clock.advance(50_000);
    assert.equal(second.health().state, 'starting');
    held?.requeue();
    await clock.settle();
    await starting;
    await session.close(new Deadline(clock, 1_000));
    await Promise.all([first.stop(), second.stop()]);
  });
});
