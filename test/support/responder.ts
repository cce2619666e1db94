import type { MessageContext } from '../../src/index.js';
import { HEADER } from '../../src/message/headers.js';
import type { OutgoingProperties } from '../../src/message/message.js';
import { encodeFailure, FAILURE } from '../../src/message/wire/reply.js';
import type { BusFixture } from './bus-fixture.js';

/** Replies to the request of this context. */
export interface Say {
  value(value: unknown): Promise<void>;
  failure(code: string, message: string, stack?: string): Promise<void>;
  /** Any reply, as any client may send it. */
  bytes(body: string | Buffer, properties?: OutgoingProperties): Promise<void>;
}

/** A responder that is nothing but a handler of messages, which replies when and as it is told. */
export async function responder(
  fx: BusFixture,
  key: string,
  answer: (payload: unknown, say: Say, context: MessageContext) => unknown,
  service = 'quotes',
): Promise<void> {
  const { session } = await fx.port({ service: fx.name(service) });
  const say = ({ replyTo, messageId }: MessageContext): Say => {
    const bytes = async (body: string | Buffer, properties: OutgoingProperties = {}) => {
      if (replyTo === undefined || messageId === undefined) throw new Error('it is no request');
      await session.publish({
        ...{ to: 'reply', address: replyTo, body: Buffer.from(body) },
        properties: { correlationId: messageId, appId: service, ...properties },
        ...{ mustRoute: false, deadlineMs: 10_000 },
      });
    };
    return {
      bytes,
      value: (value) => bytes(JSON.stringify(value), { contentType: 'application/json' }),
      failure: (code, message, stack) =>
        bytes(encodeFailure({ code, message, stack }), {
          contentType: 'application/json',
          headers: { [HEADER.reply]: FAILURE },
        }),
    };
  };
  const bus = fx.bus(service);
  await bus.handle(key, (payload, context) => answer(payload, say(context), context)).start();
}
