import { openControl } from '../../control/control.js';
import { OptionsError } from '../../errors.js';
import { Management } from '../../oversight/management/management.js';
import { Names } from '../../topology/names.js';
import { SiteLetters } from '../letters/site-letters.js';
import type { ApplicationSettings, DashboardSettings } from '../settings.js';
import { cancelBatch } from './cancel-batch.js';
import { deadLettersOf } from './dead-letters.js';
import { examination } from './examination.js';
import { freshFor } from './fresh-for.js';
import { Prometheus } from './history/prometheus.js';
import { lazily } from './lazily.js';
import type { Site } from './site.js';
import { topologyFacts } from './topology-facts.js';
import { startWatch } from './watch.js';

const SERVICE = 'hopline-dashboard';

/** What is bound seldom changes, and costs the broker more than any other question. */
const TOPOLOGY_STAYS_MS = 10_000;

/** An application, and how its pages are made ready before anybody looks. */
export interface OpenSite extends Site {
  /** Begins to watch, to read dead letters, and to go on with operations that were left; without it the first page does. */
  begin(): void;
}

/** What an application's pages need, each part opened when it is first asked for. */
export function openSite(application: ApplicationSettings, settings: DashboardSettings): OpenSite {
  const { transport, queues = [], stores, deadLetters: others, encryption } = application;
  const { management: api, prefix, delayPrefix, messages } = application;
  const { links, log, prometheus, redact, allowActions } = settings;
  const names = new Names(prefix, delayPrefix);
  const management = api && new Management(api.url, api.vhost ?? '/');
  const broker = application.broker ?? (transport.kind === 'memory' ? 'in memory' : 'RabbitMQ');
  const watch = lazily(() =>
    startWatch({
      ...{ transport, prefix, delayPrefix, queues, management, log },
      prometheus: prometheus === undefined ? undefined : new Prometheus(prometheus),
    }),
  );
  const control = lazily(() => openControl({ transport, log, ...(prefix === undefined ? {} : { prefix }) }));
  const letters = deadLettersOf({
    ...{ names, transport, log, queues, takesOn: allowActions, seen: () => watch.get().seen },
    look: () => watch.get().latest(),
    ...(others ? { others } : {}),
    ...(encryption ? { encryption } : {}),
    ...(messages ? { messages } : {}),
    ...(prefix === undefined ? {} : { prefix }),
    ...(delayPrefix === undefined ? {} : { delayPrefix }),
  });
  const examine = lazily(() =>
    examination({
      ...{ transport, management, prefix, delayPrefix, names },
      ...{ address: broker, watch: watch.get() },
    }),
  );
  return {
    ...{ id: application.id, title: application.title, broker, names, clock: transport.clock, links },
    ...{ management, jobs: stores?.jobs, batches: stores?.batches, outbox: stores?.outbox },
    ...{ index: letters.index, operations: letters.operations, failures: letters.failures },
    letters: new SiteLetters({ names, clock: transport.clock, failures: letters.failures, redact }),
    get watch() {
      return watch.get();
    },
    control: control.get,
    cancelBatch: async (id) => {
      if (!stores?.batches)
        throw new OptionsError('dashboard', ['expected stores.batches, to cancel a batch']);
      return cancelBatch(id, { store: stores.batches, transport, prefix, delayPrefix, service: SERVICE });
    },
    topology: freshFor(transport.clock, TOPOLOGY_STAYS_MS, () =>
      topologyFacts({ names, management, watch: watch.get(), control: control.get }),
    ),
    examine: () => examine.get()(),
    begin: () => {
      // The first look tells which queues there are. A broker that is away is told by the watch; the next page tries again.
      watch
        .get()
        .latest()
        .then(() => letters.index.refresh())
        .catch(() => {});
      if (allowActions) letters.operations.list().catch(() => {});
    },
    close: async () => {
      // Each may still wait for a broker that is away.
      await Promise.all([
        watch.made?.close(),
        letters.close(),
        control.made?.then(
          (opened) => opened.close(),
          () => {},
        ),
      ]);
    },
  };
}
