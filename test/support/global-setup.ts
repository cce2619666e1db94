import { provideBroker, type TestBroker } from './broker/index.js';
import { stopPrivateBroker } from './private-broker.js';

let shared: Promise<TestBroker> | undefined;

/**
 * The one broker of this test run, started when the first test asks: a file of unit tests alone starts none. Ask in a
 * `before` hook with `this.timeout(PROVIDE_TIMEOUT_MS)`. What must be faulted takes a `PrivateNode` of its own.
 *
 * @throws Error as `provideBroker` does, the same for everybody who asks
 */
export function sharedBroker(): Promise<TestBroker> {
  shared ??= provideBroker();
  return shared;
}

/** Mocha runs it once after all tests, also after failed ones. */
export async function mochaGlobalTeardown(): Promise<void> {
  const broker = await shared?.catch(() => undefined); // who asked has been told
  shared = undefined; // a watching mocha runs the tests again
  await Promise.all([broker?.stop(), stopPrivateBroker()]);
}
