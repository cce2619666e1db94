import type { RemoteFailure } from '../../errors/requesting.js';
import { HEADER } from '../headers.js';
import type { MessageProperties } from '../properties.js';

/*
 * A reply as it travels. It goes by the default exchange to the address that the request names in `replyTo`, with the request's
 * `correlationId`, as replies of all clients of RabbitMQ do (https://www.rabbitmq.com/docs/direct-reply-to). The header
 * {@link HEADER.reply} says of a failure that it is one. A reply without it is what was returned: so are those of other clients, and one
 * header less is to be written and read for each request.
 */

export const FAILURE = 'error';

/** Body of a reply that says how the responder failed. */
export function encodeFailure({ code, message, stack }: Omit<RemoteFailure, 'service'>): Buffer {
  return Buffer.from(JSON.stringify({ code, message, stack }));
}

/** True if the reply says how its responder failed. */
export const isFailure = ({ headers }: Pick<MessageProperties, 'headers'>): boolean =>
  headers?.[HEADER.reply] === FAILURE;

/** Never throws: a failure that can't be read is one, too. */
export function decodeFailure(body: Buffer, service: string | undefined): RemoteFailure {
  let told: Partial<Record<keyof RemoteFailure, unknown>> | undefined;
  try {
    told = JSON.parse(body.toString('utf8')) ?? undefined;
  } catch {}
  const textOf = (value: unknown, otherwise: string): string =>
    typeof value === 'string' && value !== '' ? value : otherwise;
  const { code, message, stack } = told ?? {};
  return {
    code: textOf(code, 'Error'),
    message: textOf(message, 'what it says of its failure can not be read'),
    stack: typeof stack === 'string' ? stack : undefined,
    service,
  };
}
