import { newWorld } from '../../src/testing/open-kit.js';
import { KitTransport } from '../../src/testing/transport.js';
import type { ManualClock } from '../../src/util/manual-clock.js';
import { MemoryHarness } from '../support/memory-harness.js';
import { transportContract } from './transport-contract.js';

/** Without any fault the test kit's transport is one as every other: what it watches, it doesn't change. */
const kitTransport = (clock: ManualClock) =>
  new KitTransport(newWorld({ bus: { service: 'service' } }, [], clock), {
    name: 'service',
    by: 'service',
    onCrash: () => {},
  });

transportContract('the memory transport in the test kit', () => new MemoryHarness(kitTransport), {
  realTime: false,
  survivesProcess: false,
  hasConnections: false,
  hasWireTypes: false,
});
