import type { BusFixture } from '../support/bus-fixture.js';
import type { Capabilities } from '../support/transport-harness.js';

/** One test of the contract: its title says what every transport does, its body is given a fixture of its own. */
export type Test = (title: string, body: (fixture: BusFixture) => Promise<void>) => void;

/** The tests of one theme. What a capability allows to differ is asked for there, and nowhere else. */
export type Theme = (test: Test, capabilities: Capabilities) => void;
