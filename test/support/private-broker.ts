import { PrivateNode, SOON_AFTER_A_DEATH } from './broker/index.js';

let started: Promise<PrivateNode> | undefined;

/** The node that fault tests may hurt, one for the run; each test leaves it healthy. Ends with the run. */
export function privateBroker(): Promise<PrivateNode> {
  // A dead-letter worker that a kill leaves waiting for a confirm would wait three minutes, as it may in a cluster.
  started ??= PrivateNode.start({ name: 'faults', advanced: SOON_AFTER_A_DEATH });
  return started;
}

export async function stopPrivateBroker(): Promise<void> {
  const node = await started?.catch(() => undefined);
  started = undefined;
  await node?.stop();
}
