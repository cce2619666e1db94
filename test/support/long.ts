/**
 * What takes long is left out of `npm test`, or done with less, and belongs to `npm run test:long`. A file that is run by
 * itself, as `npm run test:brokers` does with the faults, has all of it.
 */
const isShort = process.env.TEST_SHORT === '1';

/** A test for which `npm test` has a shorter one, which its comment names. */
export function longTest(title: string, body: Mocha.AsyncFunc): void {
  if (!isShort) it(title, body);
}

/** How much of something a test has. */
export function sized<T>(inShort: T, inFull: T): T {
  return isShort ? inShort : inFull;
}
