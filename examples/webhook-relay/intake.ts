import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { InvalidMessageError, MessageTooLargeError, OptionsError, type Publisher } from 'hopline';
import { isSigned } from './signature.js';

/**
 * Where events come in. It answers 202 only when the broker has confirmed the message, so a sender that tries again
 * until it gets one loses nothing; the delivery's id is the message's, so what comes twice can be told.
 */
export function intakeApp(publisher: Publisher, secret: string): Hono {
  const app = new Hono();

  app.use(async ({ req }, next) => {
    if (!isSigned(secret, await req.text(), req.header('X-Hub-Signature-256')))
      throw new HTTPException(401, { message: 'the signature does not fit the body' });
    await next();
  });

  /** GitHub's own webhooks. */
  app.post('/webhooks', async ({ req, body }) => {
    const event = req.header('X-GitHub-Event');
    if (!event) throw new HTTPException(400, { message: 'X-GitHub-Event is missing' });
    const payload = parse(await req.text()) as { action?: unknown } | null;
    const action = payload?.action;
    const key = typeof action === 'string' ? `github.${event}.${action}` : `github.${event}`;
    await publish(publisher, key, payload, req.header('X-GitHub-Delivery'));
    return body(null, 202);
  });

  /** Any other event, with its routing key. */
  app.post('/events', async ({ req, body }) => {
    const { key, payload } = parse(await req.text()) as { key: string; payload: unknown };
    await publish(publisher, key, payload, req.header('X-GitHub-Delivery'));
    return body(null, 202);
  });

  return app;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HTTPException(400, { message: 'the body is not JSON' });
  }
}

async function publish(
  publisher: Publisher,
  key: string,
  payload: unknown,
  messageId: string | undefined,
): Promise<void> {
  try {
    await publisher.publish(key, payload, messageId === undefined ? {} : { messageId });
  } catch (error) {
    const kinds = [InvalidMessageError, MessageTooLargeError, OptionsError];
    const isFinal = kinds.some((kind) => error instanceof kind);
    // 400: don't send this again. 503: do.
    throw new HTTPException(isFinal ? 400 : 503, { message: (error as Error).message, cause: error });
  }
}
