import type { Arguments } from '../../message/exchange-option.js';
import { bindingOf, type Json } from '../management/answers.js';
import type { ManagedBinding } from '../management/managed.js';
import type { Management } from '../management/management.js';

/** A queue as the management API knows it: counts are some seconds old. */
export interface BrokerQueue {
  readonly type: string;
  readonly arguments: Arguments;
  /** Messages that wait, are held, or are being dead-lettered; undefined while the API has no counts. */
  readonly messages: number | undefined;
}

const pathOf = (management: Management, queue: string) =>
  `queues/${management.here}/${encodeURIComponent(queue)}`;

/** Undefined if there is no such queue. @throws ManagementError */
export async function brokerQueue(management: Management, queue: string): Promise<BrokerQueue | undefined> {
  const all = await management.queues();
  if (!all.some(({ name }) => name === queue)) return undefined;
  const found = (await (await management.ask(pathOf(management, queue), 'GET')).json()) as Json;
  return {
    type: String(found.type),
    arguments: (found.arguments ?? {}) as Arguments,
    messages: typeof found.messages === 'number' ? found.messages : undefined,
  };
}

/** The bindings of a queue, without that to the default exchange, which is the queue's own. @throws ManagementError */
export async function bindingsOf(management: Management, queue: string): Promise<ManagedBinding[]> {
  const all = (await (await management.ask(`${pathOf(management, queue)}/bindings`, 'GET')).json()) as Json[];
  return all.filter(({ source }) => source !== '').map(bindingOf);
}

/** Binds a queue as another one is bound. One that is there already is left as it is. @throws ManagementError */
export async function bindLike(
  management: Management,
  binding: Pick<ManagedBinding, 'source' | 'pattern' | 'arguments'>,
  queue: string,
): Promise<void> {
  const [source, to] = [binding.source, queue].map(encodeURIComponent);
  await management.ask(`bindings/${management.here}/e/${source}/q/${to}`, 'POST', {
    routing_key: binding.pattern,
    arguments: binding.arguments ?? {},
  });
}

/** Who consumes a queue, as of some seconds ago: the name of each connection. @throws ManagementError */
export async function consumersOf(management: Management, queue: string): Promise<string[]> {
  const all = (await (await management.ask(`consumers/${management.here}`, 'GET')).json()) as Json[];
  return all
    .filter((each) => (each.queue as Json | undefined)?.name === queue)
    .map((each) =>
      String((each.channel_details as Json | undefined)?.connection_name ?? 'an unknown connection'),
    );
}

/** Declares a durable queue. One with the same arguments is left as it is. @throws ManagementError */
export async function declareQueue(management: Management, queue: string, its: Arguments): Promise<void> {
  await management.ask(pathOf(management, queue), 'PUT', { durable: true, arguments: its });
}

/** Declares a durable direct exchange. @throws ManagementError */
export async function declareDirect(management: Management, exchange: string): Promise<void> {
  const path = `exchanges/${management.here}/${encodeURIComponent(exchange)}`;
  await management.ask(path, 'PUT', { durable: true, type: 'direct' });
}
