import { provideBroker, type TestBroker } from './broker/index.js';
import { providePostgres, type TestPostgres } from './postgres.js';
import { stopPrivateBroker } from './private-broker.js';

let shared: Promise<TestBroker> | undefined;
let sharedDatabase: Promise<TestPostgres> | undefined;

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

/** The same for PostgreSQL: what a test makes there lies in a schema of its own, which it drops. */
export function sharedPostgres(): Promise<TestPostgres> {
  sharedDatabase ??= providePostgres();
  return sharedDatabase;
}

/** Mocha runs it once after all tests, also after failed ones. */
export async function mochaGlobalTeardown(): Promise<void> {
  const provided = [shared, sharedDatabase].map((each) => each?.catch(() => undefined)); // who asked has been told
  shared = undefined; // a watching mocha runs the tests again
  sharedDatabase = undefined;
  const stops = provided.map(async (each) => (await each)?.stop());
  await Promise.all([...stops, stopPrivateBroker()]);
}
