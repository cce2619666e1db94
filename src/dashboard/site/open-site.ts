import { type Control, openControl } from '../../control/control.js';
import { OptionsError } from '../../errors.js';
import { type Failures, openFailures } from '../../failures/failures.js';
import { Management } from '../../oversight/management/management.js';
import { Names } from '../../topology/names.js';
import { SiteLetters } from '../letters/site-letters.js';
import type { ApplicationSettings, DashboardSettings } from '../settings.js';
import { cancelBatch } from './cancel-batch.js';
import { interimIndex, interimOperations, interimWatch } from './interim.js';
import type { Site } from './site.js';

/** What an application's pages need, opened when a page first asks for it. */
export function openSite(application: ApplicationSettings, { links, log, redact }: DashboardSettings): Site {
  const { transport, prefix, delayPrefix, queues = [], management, stores, encryption } = application;
  const names = new Names(prefix, delayPrefix);
  const control = opened(() => openControl({ transport, log, ...(prefix === undefined ? {} : { prefix }) }));
  const failures = opened(() =>
    openFailures({
      ...{ transport, log, queues: queues.length > 0 ? queues : [names.delayLost] },
      ...(prefix === undefined ? {} : { prefix }),
      ...(delayPrefix === undefined ? {} : { delayPrefix }),
      ...(encryption === undefined ? {} : { encryption }),
    }),
  );
  const api = management && new Management(management.url, management.vhost ?? '/');
  const watch = interimWatch({ transport, prefix, delayPrefix, queues, management: api });
  return {
    id: application.id,
    title: application.title,
    broker: application.broker ?? (transport.kind === 'memory' ? 'in memory' : 'RabbitMQ'),
    names,
    clock: transport.clock,
    watch,
    index: interimIndex,
    operations: interimOperations,
    failures: failures.get,
    letters: new SiteLetters({ clock: transport.clock, failures: failures.get, redact }),
    control: control.get,
    management: api,
    batches: stores?.batches,
    cancelBatch: async (id) => {
      if (!stores?.batches)
        throw new OptionsError('dashboard', ['expected stores.batches, to cancel a batch']);
      return cancelBatch(id, {
        ...{ store: stores.batches, transport, prefix, delayPrefix, service: 'hopline-dashboard' },
      });
    },
    outbox: stores?.outbox,
    topology: async () => ({ exchanges: [], bindings: [], queues: [] }),
    examine: async () => [],
    links,
    close: async () => {
      await Promise.all([control.close(), failures.close(), watch.close()]);
    },
  };
}

/** Something that is opened when it is first needed, and tried again after it could not be. */
function opened<T extends Control | Failures>(open: () => Promise<T>) {
  let opening: Promise<T> | undefined;
  return {
    get: (): Promise<T> => {
      opening ??= open().catch((error) => {
        opening = undefined;
        throw error;
      });
      return opening;
    },
    close: async (): Promise<void> => {
      const one = await opening?.catch(() => undefined);
      await one?.close().catch(() => {});
    },
  };
}
