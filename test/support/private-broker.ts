import { PrivateNode } from './broker/index.js';

let started: Promise<PrivateNode> | undefined;

/** The node that fault tests may hurt, one for the run; each test leaves it healthy. Ends with the run. */
export function privateBroker(): Promise<PrivateNode> {
  started ??= PrivateNode.start({ name: 'faults' });
  return started;
}

export async function stopPrivateBroker(): Promise<void> {
  const node = await started?.catch(() => undefined);
  started = undefined;
  await node?.stop();
}
