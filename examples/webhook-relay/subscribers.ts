import { Hono } from 'hono';
import { isSigned } from './signature.js';

/** How long the flaky one is out of order, from its first request on. */
const OUTAGE_MS = 2_000;

/** What a subscriber answers to an event, by status. */
type Answer = (event: string | undefined) => 204 | 403 | 500 | 503;

/** Three endpoints of other people: one that works, one that is down for a while, and one that never takes anything. */
export function subscribersApp(secret: string): Hono {
  let downUntil: number | undefined;
  const answers: Record<string, Answer> = {
    healthy: () => 204,
    flaky: () => {
      downUntil ??= Date.now() + OUTAGE_MS;
      return Date.now() < downUntil ? 503 : 204;
    },
    refusing: (event) => (event === 'ping' ? 403 : 500),
  };
  const app = new Hono();
  app.post('/:subscriber', async ({ req, body }) => {
    const answer = answers[req.param('subscriber')];
    if (!answer) return body(null, 404);
    const isGenuine = isSigned(secret, await req.text(), req.header('X-Hub-Signature-256'));
    return body(null, isGenuine ? answer(req.header('X-GitHub-Event')) : 401);
  });
  return app;
}
