import type { MetricsGatherer } from '../../worker/metrics-gatherer.js';
import { type Address, jsonAnswer, PageServer, type Pages } from '../../worker/page-server.js';
import { scalingFigure } from '../../worker/scaling-figure.js';
import type { Supervisor } from '../../worker/supervisor.js';
import { cannotListen } from '../listen-address.js';
import type { WorkLog } from './work-log.js';

/** Addresses of what a supervisor serves. Two that are the same are those of one server. */
export interface PageAddresses {
  /** Of the waiting messages, for autoscalers. */
  readonly scaling: Address | undefined;
  /** Of the metrics of all processes. */
  readonly metrics: Address | undefined;
}

/** Something that is served. */
export interface Page {
  readonly flag: string;
  readonly path: string;
  readonly about: string;
  /** True if it is no longer served once the supervisor stops. */
  readonly endsEarly: boolean;
  readonly answer: Pages[string];
}

/** The waiting messages. */
export function scalingPage(supervisor: Pick<Supervisor, 'load' | 'size'>): Page {
  return {
    flag: '--scaling-port',
    path: '/scaling',
    about: 'what waits is told at',
    endsEarly: true,
    answer: () => {
      const { load, size } = supervisor;
      if (load) return jsonAnswer(200, scalingFigure(load, size));
      // The autoscaler then changes nothing.
      return jsonAnswer(503, { error: 'no worker has reported its load lately' });
    },
  };
}

/**
 * The metrics of all processes.
 *
 * @param app path of the application's module
 * @throws the system's error if prom-client is not installed
 */
export async function metricsPageOf(app: string, gatherer: MetricsGatherer): Promise<Page> {
  const { loadPromClient } = await import('../../observe/prometheus/packages.js');
  const client = await loadPromClient(app);
  const { metricsPage } = await import('../../observe/prometheus/page.js');
  return {
    flag: '--metrics-port',
    path: '/metrics',
    about: 'metrics are told at',
    // What the last handlers do counts as well.
    endsEarly: false,
    answer: async (accept) => ({
      status: 200,
      ...(await metricsPage(client, await gatherer.gather(), accept)),
    }),
  };
}

interface Place {
  readonly server: PageServer;
  readonly pages: readonly Page[];
}

/** The servers of pages. */
export class PageServers {
  private readonly places: Place[] = [];
  private isStopping = false;

  /**
   * Opens the servers of these pages.
   *
   * @throws UsageError if an address can't be listened at
   */
  static async open(
    pages: readonly (readonly [Page, Address])[],
    { logger }: Pick<WorkLog, 'logger'>,
  ): Promise<PageServers> {
    const servers = new PageServers();
    const textOf = ({ host, port }: Address) => `${host}:${port}`;
    for (const place of new Set(pages.map(([, address]) => textOf(address)))) {
      const here = pages.filter(([, address]) => textOf(address) === place);
      const [[, address]] = here as [[Page, Address]];
      const { url } = await servers.listen(
        address,
        here.map(([page]) => page),
      );
      for (const [{ path, about }] of here) logger.info({ url: `${url}${path}` }, `${about} ${url}${path}`);
    }
    return servers;
  }

  /** Closes the servers whose pages end when the supervisor begins to stop; with others beside them such pages answer 503 from then on. */
  stopping(): void {
    this.isStopping = true;
    this.closeIf(({ pages }) => pages.every(({ endsEarly }) => endsEarly));
  }

  /** May be called again. */
  close(): void {
    this.closeIf(() => true);
  }

  private closeIf(isMeant: (place: Place) => boolean): void {
    for (const place of this.places.filter(isMeant)) place.server.close();
  }

  private answerOf({ endsEarly, answer }: Page): Page['answer'] {
    if (!endsEarly) return answer;
    return (accept) => (this.isStopping ? jsonAnswer(503, { error: 'the processes stop' }) : answer(accept));
  }

  private async listen(address: Address, pages: readonly Page[]): Promise<PageServer> {
    const answers: Pages = Object.fromEntries(pages.map((page) => [page.path, this.answerOf(page)]));
    try {
      const server = await PageServer.listen(address, answers);
      this.places.push({ server, pages });
      return server;
    } catch (error) {
      this.close();
      throw cannotListen(pages[0]?.flag ?? '', address, error);
    }
  }
}
