import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bus, rabbitmq } from '../../src/index.js';
import { Command } from '../cli/command.js';
import { PROVIDE_TIMEOUT_MS, PrivateCluster } from '../support/broker/index.js';
import { freePorts } from '../support/broker/ports.js';
import { Told } from './told.js';

describe('alerts of a cluster', function () {
  this.timeout(240_000);
  let cluster: PrivateCluster;
  let ports: number[];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    ports = await freePorts(3);
    cluster = await PrivateCluster.start({
      name: 'alerts',
      plugins: ['rabbitmq_management'],
      configOf: (index) => [`management.tcp.port = ${ports[index]}`, 'management.tcp.ip = 127.0.0.1'],
    });
  });

  after(() => cluster?.stop());

  it('fire when one more node may not be lost, and clear when the lost one is back', async () => {
    const prefix = `alerts-${randomBytes(4).toString('hex')}`;
    const [first, , third] = cluster.nodes;
    if (!first || !third) throw new Error('a cluster of three');
    const told = await Told.start(first.url, prefix);
    const bus = new Bus({ service: prefix, prefix, transport: rabbitmq({ url: first.url }) });
    await bus.handle('work', () => {}, { queue: `${prefix}.work` }).start();
    const directory = await mkdtemp(join(tmpdir(), 'hopline-monitor-'));
    const file = join(directory, 'rules.json');
    const rules = ['quorum_critical > 0 critical for 0s'];
    await writeFile(file, JSON.stringify({ rules, defaults: false, every: '500ms', publish: true }));
    const monitor = new Command(['monitor', '--rules', file, '--prefix', prefix], {
      url: first.url,
      env: { MANAGEMENT_URL: `http://guest:guest@127.0.0.1:${ports[0]}`, ALERT_WEBHOOK: told.receiver.url },
    });
    try {
      await third.shutDown();
      await told.fires('quorum_critical broker');
      await third.boot();
      await told.clears('quorum_critical broker');
    } finally {
      monitor.child.kill('SIGTERM');
      await monitor.ended;
      await bus.stop();
      await told.stop();
      await rm(directory, { recursive: true });
    }
    assert.equal(monitor.stderr, '');
  });
});
