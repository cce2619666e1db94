import assert from 'node:assert/strict';
import { Bus, memory, OptionsError } from '../../../src/index.js';
import { type Alert, type AlertsOptions, alerts } from '../../../src/observe/alerts/index.js';
import { deferred } from '../../../src/util/deferred.js';
import { silentLogger } from '../../../src/util/logger.js';
import { eventually } from '../../support/eventually.js';

describe('the options of alerts', () => {
  const bus = () => new Bus({ service: 'shop', transport: memory(), log: silentLogger });

  it('are refused all at once, by name, and without what is secret in them', () => {
    const options = {
      rules: ['oldest > 5m', 'oldest 5m', { measure: 'blocked', warning: '5s', on: 'a' }],
      evry: '1s',
      webhooks: [
        { url: 'ftp://me:s3cret@host' },
        { url: 'hooks.example.org/s3cret' },
        { url: 'https://%zz@host/' },
        { url: 'https://host/', secret: ['s3cret'] },
        'https://host/s3cret',
      ],
      ping: { url: 'http://host', every: '2d' },
      publish: 5,
    } as unknown as AlertsOptions;
    assert.throws(
      () => alerts(bus(), options),
      (error: Error) => {
        assert.ok(error instanceof OptionsError);
        for (const problem of [
          /unknown option evry, did you mean every\?/,
          /webhooks\[0\]\.url to be an address http:\/\/… or https:\/\/…, .* got a value that is not shown/,
          /webhooks\[1\]\.url to be .* got a value that is not shown/,
          /webhooks\[2\]\.url to be .* percent-encoded/,
          /webhooks\[3\]\.secret to be a non-empty string, got a value that is not shown/,
          /webhooks\[4\] to be an object, got a value that is not shown/,
          /ping\.every to be a duration of 1 ms to 1d/,
          /expected publish to be true, false or a routing key, got 5/,
          /rule "oldest 5m": expected '>' and a limit, or 'off' at character 8, got '5m'/,
          /rules\[2\]: blocked belongs to no queue/,
        ])
          assert.match(error.message, problem);
        assert.doesNotMatch(error.message, /s3cret/);
        return true;
      },
    );
  });

  it('of a silence are a pattern and a duration', () => {
    const watch = alerts(bus());
    assert.throws(() => watch.silence('', '1h'), OptionsError);
    assert.throws(() => watch.silence('*', 'soon' as never), OptionsError);
    watch.silence('*', '1h');
    assert.deepEqual(
      watch.silences.map(({ pattern }) => pattern),
      ['*'],
    );
    watch.silence('*', 0);
    assert.deepEqual(watch.silences, []);
  });
});

describe('alerts of a bus', () => {
  it('begin with it, are events, lines and messages, and end with it', async () => {
    const gate = deferred();
    const told: Alert[] = [];
    const lines: string[] = [];
    const log = { ...silentLogger, warn: (_fields: object, message: string) => void lines.push(message) };
    const bus = new Bus({ service: 'shop', transport: memory(), log: silentLogger, concurrency: 1 });
    bus.handle('order', () => gate.promise, { queue: 'orders', name: 'Pay' });
    bus.handle('ops.alert', (alert) => void told.push(alert as Alert), { queue: 'ops', name: 'Ops' });
    const rules = ['queue_length > 5 for 0s on orders'];
    const watch = alerts(bus, { rules, defaults: false, every: '20ms', publish: 'ops.alert', log });
    const events: string[] = [];
    watch.on('alert.fired', ({ id }) => events.push(`fired ${id}`));
    watch.on('alert.resolved', ({ id }) => events.push(`resolved ${id}`));
    assert.deepEqual(watch.status(), []);
    await bus.start();
    for (let number = 0; number < 30; number += 1) await bus.publish('order', number);
    await eventually(() => told.length === 1);
    const [{ state, severity, value, message, since } = {} as Alert] = told;
    assert.deepEqual([state, severity, since.length], ['fired', 'warning', 24]);
    assert.equal(message, `${value} messages wait in queue 'orders', above 5`);
    assert.deepEqual(lines, [message]);
    const [status] = watch.status();
    assert.deepEqual([status?.id, status?.state, status?.silenced], ['queue_length orders', 'firing', false]);
    gate.resolve();
    await eventually(() => told.length === 2);
    assert.deepEqual(events, ['fired queue_length orders', 'resolved queue_length orders']);
    // What is left would keep this process from ending.
    await bus.stop();
  });
});
