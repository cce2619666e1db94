import assert from 'node:assert/strict';
import { permissionLines, usersOf } from '../../../src/cli/topology/permissions.js';
import { Bus, memory } from '../../../src/index.js';

describe('what a service with long handlers needs of its broker', () => {
  const described = () =>
    new Bus({ service: 'shop', transport: memory(), timeoutGrace: '5s' })
      .handle('export', () => {}, { timeout: '2h', queue: { name: 'exports', lanes: ['high', 'default'] } })
      .handle('mail', () => {}, { timeout: '10m', queue: { name: 'mails' } })
      .handle('scan', () => {}, { timeout: '25m', queue: { name: 'scans', concurrency: 1, prefetch: 2 } })
      .describe();

  it('is a policy for each of its queues, with room for what waits before a handler and after it', () => {
    const [user] = usersOf([described()], { vhost: '/', occasions: ['declare'] });
    assert.ok(user);
    assert.deepEqual(
      user.consumerTimeouts.map(({ queue, ms }) => [queue, ms / 60_000]),
      [
        ['exports', 120 + 10 + 5 + 5 / 60],
        ['scans', 25 + 10 + 5 + 5 / 60],
      ],
    );
    assert.deepEqual(
      permissionLines(user).filter((line) => line.includes('set_policy')),
      [
        `rabbitmqctl set_policy -p / --apply-to queues exports.consumer-timeout '^(exports\\.high|exports)$' '{"consumer-timeout":8105000}'`,
        `rabbitmqctl set_policy -p / --apply-to queues scans.consumer-timeout '^(scans)$' '{"consumer-timeout":2405000}'`,
      ],
    );
  });
});
