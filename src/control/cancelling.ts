import { CONTROL_TOPOLOGY, type TopologyMode } from '../topology/bus-topology.js';
import type { Names } from '../topology/names.js';
import type { Session, Transport } from '../transport/transport.js';
import { Deadline } from '../util/deadline.js';
import { encode } from './protocol.js';

export interface CancellingOptions {
  readonly session: Pick<Session, 'declare' | 'publish'>;
  readonly names: Names;
  readonly transport: Pick<Transport, 'clock'>;
  readonly topology: TopologyMode;
  readonly publishDeadlineMs: number;
}

/** Where the answers go: nobody listens, since the status of the job tells what became of it. */
const NOBODY = 'nobody';

/** Asks all workers to fire the signals of a message's attempts, as an operator does. @throws TopologyError; the errors of a publish */
export async function cancelElsewhere(
  messageId: string,
  { session, names, transport, topology, publishDeadlineMs }: CancellingOptions,
): Promise<void> {
  await session.declare(CONTROL_TOPOLOGY, topology, new Deadline(transport.clock, publishDeadlineMs));
  await session.publish({
    ...{ to: 'exchange', exchange: names.control, routingKey: '', mustRoute: false },
    body: encode({ ask: 'cancel', messageId }),
    properties: { replyTo: NOBODY, contentType: 'application/json' },
    deadlineMs: publishDeadlineMs,
  });
}
