import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { ScalingFigure } from './scaling-figure.js';

const PATH = '/scaling';

export interface Address {
  readonly host: string;
  /** 0 selects a free port. */
  readonly port: number;
}

/** Answers `GET /scaling` with the figures for an external autoscaler. */
export class ScalingServer {
  private constructor(
    readonly url: string,
    private readonly server: ReturnType<typeof createServer>,
  ) {}

  /**
   * @param figure undefined while nothing is known, which is answered with 503: the autoscaler then changes
   * nothing
   * @throws the system's error if it can't listen on the address
   */
  static async listen(
    { host, port }: Address,
    figure: () => ScalingFigure | undefined,
  ): Promise<ScalingServer> {
    const server = createServer(({ method, url }, response) => {
      if (url?.split('?')[0] !== PATH) answer(response, 404, { error: `only ${PATH} exists here` });
      else if (method !== 'GET')
        answer(response.setHeader('allow', 'GET'), 405, { error: 'only GET is allowed' });
      else {
        const current = figure();
        if (current) answer(response, 200, current);
        else answer(response, 503, { error: 'no worker has reported its load lately' });
      }
    });
    server.listen(port, host);
    await once(server, 'listening');
    const taken = (server.address() as AddressInfo).port;
    return new ScalingServer(`http://${isIPv6(host) ? `[${host}]` : host}:${taken}${PATH}`, server);
  }

  /** May be called again. */
  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}
