import { MemoryHarness } from '../support/memory-harness.js';
import { transportContract } from './transport-contract.js';

transportContract('memory', () => new MemoryHarness(), {
  realTime: false,
  survivesProcess: false,
  hasConnections: false,
  hasWireTypes: false,
});
