import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Alert } from '../../src/observe/alerts/alert.js';

export interface ReceivedPost {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: string;
}

/** A server that alerts are posted to. */
export class WebhookReceiver {
  readonly posts: ReceivedPost[] = [];
  /** Status codes of the next answers, and where they lead; then 200. */
  readonly answers: (number | { readonly location: string })[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<WebhookReceiver> {
    const server = createServer(async (request, response) => {
      const { headers, url: path = '' } = request;
      receiver.posts.push({ headers, body: await text(request), path });
      const answer = receiver.answers.shift() ?? 200;
      if (typeof answer === 'number') response.writeHead(answer).end();
      else response.writeHead(302, answer).end();
    });
    const receiver = new WebhookReceiver(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/alerts`;
  }

  /** All alerts, as they came. */
  get alerts(): Alert[] {
    return this.posts.flatMap(({ body }) => (JSON.parse(body) as { alerts: Alert[] }).alerts);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
