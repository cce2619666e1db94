import assert from 'node:assert/strict';
import { type Bus, defineRequest, NoResponderError } from '../../src/index.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { PrivateCluster } from '../support/broker/private-cluster.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, stopAll, uniqueName } from './fixture.js';

/** Buses of one application. */
function application(): (url: string, service: string) => Bus {
  const names = { prefix: uniqueName('app'), operatorControl: false };
  return (url, service) => faultBus(url, { ...names, service }).bus;
}

describe('responders', function () {
  this.timeout(180_000);
  afterEach(stopAll);

  it('are there again when the broker has restarted, and without them their queue is not', async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    const node = await privateBroker();
    const busOf = application();
    const Echo = defineRequest<number, number>('echo');
    const responder = busOf(node.url, 'shop').reply(Echo, (payload) => payload);
    const requester = busOf(node.url, 'web');
    await responder.start();
    await requester.start();
    assert.equal(await requester.request(Echo, 1), 1);
    await node.kill();
    await node.boot();
    await eventually(async () => assert.equal(await requester.request(Echo, 2, { timeout: '1s' }), 2), {
      timeout: 60_000,
    });
    // The broker comes back without the responder: where it has kept their queue, that expires.
    await node.kill();
    const stopping = responder.stop({ deadline: '1s' }).catch(() => {});
    await stopping;
    await node.boot();
    await eventually(() => assert.rejects(requester.request(Echo, 3, { timeout: '1s' }), NoResponderError), {
      timeout: 60_000,
    });
  });

  describe('of a cluster whose node with their queue dies', () => {
    let cluster: PrivateCluster;
    before(async function () {
      this.timeout(2 * PROVIDE_TIMEOUT_MS);
      cluster = await PrivateCluster.start({ name: 'responders' });
    });
    after(() => cluster?.stop());

    for (const type of ['classic', 'quorum'] as const)
      it(`come back on another: with a ${type} queue`, async () => {
        const [home, second, third] = cluster.nodes as unknown as [PrivateNode, PrivateNode, PrivateNode];
        const busOf = application();
        const Echo = defineRequest<number, number>('echo');
        const responderOn = (node: PrivateNode) =>
          busOf(node.url, 'shop').reply(Echo, (payload) => payload, { queue: { name: 'asked', type } });
        // The first to declare it has it on its node.
        await responderOn(home).start();
        await responderOn(second).start();
        const requester = busOf(third.url, 'web');
        await requester.start();
        for (const number of [1, 2, 3, 4]) assert.equal(await requester.request(Echo, number), number);
        // A classic queue of 4.3 waits for its node, durable or not.
        const waits = type === 'classic' && !/^(3|4\.[012])\./.test(await second.ctl('version'));
        await home.kill();
        if (waits) await home.boot();
        await eventually(async () => assert.equal(await requester.request(Echo, 5, { timeout: '1s' }), 5), {
          timeout: 90_000,
        });
        if (!waits) await home.boot();
      });
  });
});
