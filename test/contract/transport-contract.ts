import { BusFixture } from '../support/bus-fixture.js';
import type { Capabilities, TransportHarness } from '../support/transport-harness.js';
import { publishing } from './publishing.js';

/** One test of the contract: its title says what every transport does, its body is given a fixture of its own. */
export type Test = (title: string, body: (fixture: BusFixture) => Promise<void>) => void;

/** The tests of one theme. What a capability allows to differ is asked for there, and nowhere else. */
export type Theme = (test: Test, capabilities: Capabilities) => void;

/** The port: a session, without a bus above it. */
const port: Readonly<Record<string, Theme>> = {
  publishing,
};

/**
 * What a transport must do: one suite, which every transport passes.
 *
 * @param makeHarness called for each test
 * @param capabilities what may differ, with the reasons at {@link Capabilities}; no test is skipped for them: where a
 *   transport can't do something, another test says what happens instead
 */
export function transportContract(
  name: string,
  makeHarness: () => TransportHarness,
  capabilities: Capabilities,
): void {
  const test: Test = (title, body) => it(title, () => inFixture(new BusFixture(makeHarness()), body));

  describe(`${name}, as a transport`, () => {
    for (const [title, theme] of Object.entries(port)) describe(title, () => theme(test, capabilities));
  });
}

/** Not in `afterEach`: what one test leaves behind is that test's failure, and no reason to run no others. */
async function inFixture(fixture: BusFixture, body: (fixture: BusFixture) => Promise<void>): Promise<void> {
  try {
    await body(fixture);
  } catch (error) {
    await fixture.end().catch(() => {}); // after a failure something is always left
    throw error;
  }
  await fixture.end();
}
