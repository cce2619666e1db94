import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';

/** A request of node:http as Express and those like it hand it on. */
interface Handed extends IncomingMessage {
  /** Part of the path that a router has taken away: `/ops`. */
  readonly baseUrl?: string;
  /** What a parser has made of the form, if one was there before. */
  readonly body?: unknown;
}

export type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/** What is known of a request that came to a listener. */
export interface Listened {
  readonly incoming: IncomingMessage;
  /** Path at which a router has mounted the listener; undefined if none tells. */
  readonly mountedAt: string | undefined;
}

/** Answers requests of node:http, and of what is built on it, by a handler of requests as browsers have them. */
export function listenerOf(answer: (request: Request, context: Listened) => Promise<Response>): Listener {
  const listener = getRequestListener(
    (request, env) => {
      const incoming = env.incoming as Handed;
      return answer(withForm(request, incoming), { incoming, mountedAt: incoming.baseUrl || undefined });
    },
    // The process belongs to the application: its Request and Response stay those of Node.
    { overrideGlobalObjects: false },
  );
  return (incoming, outgoing) => void listener(incoming, outgoing);
}

/** A request whose form a parser has read already, with that form: its body has come to its end. */
function withForm(request: Request, { body, readableEnded }: Handed): Request {
  if (!readableEnded || typeof body !== 'object' || body === null) return request;
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(body))
    for (const each of [value].flat()) form.append(name, String(each));
  const { url, method } = request;
  const headers = new Headers(request.headers);
  headers.delete('content-length');
  return new Request(url, { method, headers, body: form });
}
