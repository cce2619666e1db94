import { containerBroker } from './container.js';
import { debianPackage } from './debian.js';
import { externalBroker } from './external.js';
import { chosenVersion } from './find-program.js';
import { privateProcess } from './process.js';
import type { TestBroker } from './test-broker.js';
import { Declined, type Way } from './way.js';

export { PrivateCluster, type PrivateClusterOptions, SOON_AFTER_A_DEATH } from './private-cluster.js';
export { PrivateNode, type PrivateNodeOptions } from './private-node.js';
export type { TestBroker } from './test-broker.js';

/** Cheapest and most explicit first. */
const WAYS: readonly Way[] = [externalBroker, containerBroker, privateProcess, debianPackage];

/** For the hook that asks for a broker: the slowest way pulls an image or installs a package first. In milliseconds. */
export const PROVIDE_TIMEOUT_MS = 300_000;

/**
 * A real broker for this test run: the first of the ways that is open here. Says in one line on standard error which
 * one that was, and why none before it. Takes about five seconds with an installed server.
 *
 * @throws Error that names every way, why it is not open, and how to open it
 */
export async function provideBroker(
  // Who asks for a version doesn't mean whatever broker there is.
  ways = chosenVersion() ? [privateProcess] : WAYS,
  say: (line: string) => void = sayOnStderr,
): Promise<TestBroker> {
  const declined: { way: Way; reason: string }[] = [];
  for (const way of ways) {
    const outcome = await way.provide();
    if (!(outcome instanceof Declined)) {
      const because = declined.length > 0 ? ` (${declined.map(({ reason }) => reason).join('; ')})` : '';
      say(`broker: RabbitMQ ${outcome.version} from ${way.name}${because}`);
      return outcome;
    }
    declined.push({ way, reason: outcome.reason });
  }
  const list = declined.map(({ way, reason }) => `  - ${way.name}: ${reason}. ${way.remedy}`);
  throw new Error(
    `These tests need a RabbitMQ, and none of the ways to get one is open:\n${list.join('\n')}`,
  );
}

function sayOnStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
