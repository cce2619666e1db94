import { openControl } from '../../control/control.js';
import { OptionsError } from '../../errors.js';
import { openFailures } from '../../failures/failures.js';
import { Management } from '../../oversight/management/management.js';
import { Names } from '../../topology/names.js';
import { SiteLetters } from '../letters/site-letters.js';
import type { ApplicationSettings, DashboardSettings } from '../settings.js';
import { cancelBatch } from './cancel-batch.js';
import { examination } from './examination.js';
import { Prometheus } from './history/prometheus.js';
import { interimIndex, interimOperations } from './interim.js';
import { lazily } from './lazily.js';
import type { Site } from './site.js';
import { topologyFacts } from './topology-facts.js';
import { startWatch } from './watch.js';

const SERVICE = 'hopline-dashboard';

/** What an application's pages need, each opened when it is first asked for. */
export function openSite(
  application: ApplicationSettings,
  { links, log, prometheus, redact }: Pick<DashboardSettings, 'links' | 'log' | 'prometheus' | 'redact'>,
): Site {
  const { transport, queues = [], stores, encryption, management: api } = application;
  const { prefix, delayPrefix } = application;
  const names = new Names(prefix, delayPrefix);
  const prefixes = {
    ...(prefix === undefined ? {} : { prefix }),
    ...(delayPrefix === undefined ? {} : { delayPrefix }),
  };
  const management = api && new Management(api.url, api.vhost ?? '/');
  const broker = application.broker ?? (transport.kind === 'memory' ? 'in memory' : 'RabbitMQ');
  const watch = lazily(() =>
    startWatch({
      ...{ transport, prefix, delayPrefix, queues, management, log },
      prometheus: prometheus === undefined ? undefined : new Prometheus(prometheus),
    }),
  );
  const control = lazily(() => openControl({ transport, log, ...(prefix === undefined ? {} : { prefix }) }));
  const failures = lazily(() =>
    openFailures({
      ...{ transport, log, ...prefixes },
      queues: queues.length > 0 ? queues : [names.delayLost],
      ...(encryption ? { encryption } : {}),
    }),
  );
  const examine = lazily(() =>
    examination({
      ...{ transport, management, prefix, delayPrefix, names },
      address: broker,
      watch: watch.get(),
    }),
  );
  return {
    ...{ id: application.id, title: application.title, broker, names, clock: transport.clock, links },
    ...{ management, batches: stores?.batches, outbox: stores?.outbox },
    get watch() {
      return watch.get();
    },
    index: interimIndex,
    operations: interimOperations,
    failures: failures.get,
    letters: new SiteLetters({ clock: transport.clock, failures: failures.get, redact }),
    control: control.get,
    cancelBatch: async (id) => {
      if (!stores?.batches)
        throw new OptionsError('dashboard', ['expected stores.batches, to cancel a batch']);
      return cancelBatch(id, { store: stores.batches, transport, prefix, delayPrefix, service: SERVICE });
    },
    topology: () => topologyFacts({ names, management, watch: watch.get(), control: control.get }),
    examine: () => examine.get()(),
    close: async () => {
      await watch.made?.close();
      await (await control.made?.catch(() => undefined))?.close();
      await (await failures.made?.catch(() => undefined))?.close();
    },
  };
}
