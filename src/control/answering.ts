import { randomUUID } from 'node:crypto';
import type { Names } from '../topology/names.js';
import type { Heard, ListenSource } from '../transport/operator-session.js';
import type { Session } from '../transport/transport.js';
import type { ControlAnswer } from './answer.js';
import { encode } from './protocol.js';

/** Deadline for publishing an answer: whoever asked does not wait longer. */
const ANSWER_MS = 5_000;

/** Where operators' requests are heard. */
export const requestsTo = ({ control }: Pick<Names, 'control'>): ListenSource => ({
  exchange: control,
  key: '',
  queueName: () => `${control}.${randomUUID()}`,
});

/** Answers a request; one that names nobody to answer has no answer. @throws the errors of a publish */
export async function sendAnswer(
  session: Pick<Session, 'publish'>,
  { controlTo }: Pick<Names, 'controlTo'>,
  { properties: { replyTo, correlationId } }: Heard,
  answer: ControlAnswer,
): Promise<void> {
  if (replyTo === undefined) return;
  await session.publish({
    to: 'exchange',
    exchange: controlTo,
    routingKey: replyTo,
    body: encode(answer),
    properties: {
      contentType: 'application/json',
      ...(correlationId === undefined ? {} : { correlationId }),
    },
    mustRoute: false,
    deadlineMs: ANSWER_MS,
  });
}
