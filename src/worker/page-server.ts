import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';

export interface Address {
  readonly host: string;
  /** 0 selects a free port. */
  readonly port: number;
}

/** Answer to a request. */
export interface PageAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Pages by path, each with what answers it, of the request's `accept` header. */
export type Pages = Readonly<
  Record<string, (accept: string | undefined) => PageAnswer | Promise<PageAnswer>>
>;

/** Answers `GET` for a few pages, and nothing else. */
export class PageServer {
  private constructor(
    /** Without a path. */
    readonly url: string,
    private readonly server: ReturnType<typeof createServer>,
  ) {}

  /** @throws the system's error if it can't listen on the address */
  static async listen({ host, port }: Address, pages: Pages): Promise<PageServer> {
    const server = createServer((request, response) => void answer(request, response, pages));
    server.listen(port, host);
    await once(server, 'listening');
    const taken = (server.address() as AddressInfo).port;
    return new PageServer(`http://${isIPv6(host) ? `[${host}]` : host}:${taken}`, server);
  }

  /** May be called again. */
  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** An answer of JSON. */
export function jsonAnswer(status: number, body: object): PageAnswer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(body)}\n` };
}

async function answer(request: IncomingMessage, response: ServerResponse, pages: Pages): Promise<void> {
  const { status, contentType, body } = await answerOf(request, pages);
  if (status === 405) response.setHeader('allow', 'GET');
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
  response.end(body);
}

async function answerOf({ method, url, headers }: IncomingMessage, pages: Pages): Promise<PageAnswer> {
  const paths = Object.keys(pages);
  const path = url?.split('?')[0] ?? '';
  const page = paths.includes(path) ? pages[path] : undefined;
  if (!page)
    return jsonAnswer(404, { error: `only ${paths.join(' and ')} exist${paths.length > 1 ? '' : 's'} here` });
  if (method !== 'GET') return jsonAnswer(405, { error: 'only GET is allowed' });
  try {
    return await page(headers.accept);
  } catch (error) {
    return jsonAnswer(500, { error: (error as Error).message });
  }
}
