import type { Alert } from '../../../observe/alerts/alert.js';
import type { Seen } from '../../site/seen.js';
import { queuePath } from '../addresses.js';
import type { Wrong } from './model.js';

const MOST = 20;

/** Something that is seen at once, and of which there may also be an alert, after a while: then that is told instead. */
interface SeenWrong extends Wrong {
  readonly alert?: string;
}

/** What the alerts say to be wrong, and what a look shows before they do, or what is no alert since somebody wants it so: the gravest first. */
export function wrongOf(seen: Seen, alerts: readonly Alert[]): Wrong[] {
  const ids = new Set(alerts.map(({ id }) => id));
  const looked = [...ofBroker(seen), ...seen.queues.flatMap(ofQueue)]
    .filter(({ alert = '' }) => !ids.has(alert))
    .map(({ alert: _, ...wrong }) => wrong);
  const rank = ({ severity }: Wrong) => (severity === 'bad' ? 0 : 1);
  return [...alerts.map(ofAlert), ...looked]
    .toSorted((left, right) => rank(left) - rank(right))
    .slice(0, MOST);
}

const ofAlert = (alert: Alert): Wrong => ({
  severity: alert.severity === 'critical' ? 'bad' : 'warn',
  message: alert.message,
  help: alert.help,
  path: pathOf(alert),
  since: Date.parse(alert.since),
});

/** Measures that are not of a queue. */
const PATHS: Readonly<Partial<Record<Alert['measure'], string>>> = {
  dead_letters: '/failures',
  unreachable: '/broker',
  blocked: '/broker',
  near_alarm: '/broker',
  quorum_critical: '/broker',
  overdue_delay: '/delayed',
  lost_delayed: '/delayed',
  outbox_lag: '/outbox',
  overdue_batches: '/batches',
};

function pathOf({ measure, subject }: Alert): string {
  const path = PATHS[measure];
  if (path !== undefined) return path;
  // Of a handler the subject is `queue/handler`.
  const isOfHandler = measure === 'failure_rate' || measure === 'overrun' || measure === 'silence';
  const end = isOfHandler ? subject.lastIndexOf('/') : -1;
  return queuePath(end < 0 ? subject : subject.slice(0, end));
}

function ofBroker({ broker, processes, reached }: Seen): SeenWrong[] {
  const path = '/broker';
  const wrong: SeenWrong[] = [];
  if (broker.blocked)
    wrong.push({
      severity: 'bad',
      message: 'The broker takes no messages: it is in an alarm',
      help: 'Free memory or disk on it; publishers wait until then.',
      path,
      alert: 'blocked broker',
    });
  for (const { name, running, partitions } of broker.nodes) {
    if (!running)
      wrong.push({ severity: 'bad', message: `The broker's node ${name} is down`, help: undefined, path });
    if (partitions.length > 0)
      wrong.push({
        severity: 'bad',
        message: `The broker's node ${name} does not see ${partitions.join(', ')}`,
        help: undefined,
        path,
      });
  }
  if (processes.length === 0 && reached)
    wrong.push({
      severity: 'bad',
      message: 'No worker answers',
      help: 'Start one; if some run, see that they use this broker, vhost and prefix.',
      path: '/workers',
    });
  return wrong;
}

function ofQueue({ queue, held, openCircuits, paused, consumers, length = 0 }: Seen['queues'][number]) {
  const path = queuePath(queue);
  const wrong: SeenWrong[] = [];
  if (held)
    wrong.push({
      severity: 'bad',
      message: `Nothing starts of '${queue}': a retry or a dead letter can't be published`,
      help: 'See the broker for alarms, and for a queue of dead letters that is full or gone.',
      path,
    });
  if (openCircuits.length > 0)
    wrong.push({
      severity: 'bad',
      message: `The circuit of ${openCircuits.join(', ')} is open, so '${queue}' waits`,
      help: 'It closes when a trial succeeds, or by the button on its page.',
      path,
    });
  if (paused)
    wrong.push({
      severity: 'warn',
      message: `'${queue}' is paused by an operator`,
      help: undefined,
      path,
    });
  else if (consumers === 0 && length > 0)
    wrong.push({
      severity: 'bad',
      message: `Nobody consumes '${queue}', and messages wait in it`,
      help: 'Start its workers.',
      path,
      alert: `no_consumers ${queue}`,
    });
  return wrong;
}
