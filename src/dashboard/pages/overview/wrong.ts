import type { Seen } from '../../site/seen.js';
import { queuePath } from '../addresses.js';
import { handlerPath } from '../handlers/handler-path.js';
import type { Wrong } from './model.js';

const MOST = 12;

/** What one look shows to be wrong: the gravest first. */
export function wrongOf(seen: Seen): Wrong[] {
  const all = [
    ...ofBroker(seen),
    ...seen.queues.flatMap(ofQueue),
    ...seen.handlers.flatMap(ofHandler),
    ...ofDelays(seen),
  ];
  return all.toSorted((left, right) => rank(left) - rank(right)).slice(0, MOST);
}

const rank = ({ severity }: Wrong): number => (severity === 'bad' ? 0 : 1);

function ofBroker({ broker, processes }: Seen): Wrong[] {
  const path = '/broker';
  const wrong: Wrong[] = [];
  if (broker.blocked)
    wrong.push({
      severity: 'bad',
      message: 'The broker takes no messages: it is in an alarm',
      help: 'Free memory or disk on it; publishers wait until then.',
      path,
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
  if (processes.length === 0)
    wrong.push({
      severity: 'bad',
      message: 'No worker answers',
      help: 'Start one; if some run, see that they use this broker, vhost and prefix.',
      path: '/workers',
    });
  return wrong;
}

function ofQueue({
  queue,
  held,
  openCircuits,
  paused,
  consumers,
  length = 0,
}: Seen['queues'][number]): Wrong[] {
  const path = queuePath(queue);
  const wrong: Wrong[] = [];
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
      help: undefined,
      path,
    });
  if (paused)
    wrong.push({ severity: 'warn', message: `'${queue}' is paused by an operator`, help: undefined, path });
  else if (consumers === 0 && length > 0)
    wrong.push({
      severity: 'bad',
      message: `Nobody consumes '${queue}', and messages wait in it`,
      help: 'Start its workers.',
      path,
    });
  return wrong;
}

/** Share of failed attempts from which on a handler is wrong, and that from which on it is nothing but wrong. */
const FAILING = { warn: 0.1, bad: 0.5 };

function ofHandler(handler: Seen['handlers'][number]): Wrong[] {
  const { failureRate = 0, longestMs = 0, timeoutMs, errors } = handler;
  const path = handlerPath(handler);
  const [last] = errors;
  const wrong: Wrong[] = [];
  if (failureRate >= FAILING.warn)
    wrong.push({
      severity: failureRate >= FAILING.bad ? 'bad' : 'warn',
      message: `${handler.handler} of '${handler.queue}' fails ${Math.round(failureRate * 100)} % of its attempts`,
      help: last === undefined ? undefined : `Last: ${last.kind}: ${last.message}`,
      path,
    });
  if (longestMs > timeoutMs)
    wrong.push({
      severity: 'warn',
      message: `An attempt of ${handler.handler} of '${handler.queue}' runs for longer than its timeout`,
      help: 'It ignores context.signal.',
      path: '/running',
    });
  return wrong;
}

function ofDelays({ delays, lost = 0 }: Seen): Wrong[] {
  const wrong: Wrong[] = delays
    .filter(({ stands }) => stands)
    .map(({ queue }) => ({
      severity: 'bad',
      message: `Delayed messages that are due stay in '${queue}'`,
      help: undefined,
      path: '/delayed',
    }));
  if (lost > 0)
    wrong.push({
      severity: 'bad',
      message: `${lost} delayed messages found no queue when they were due`,
      help: 'They are kept.',
      path: '/delayed',
    });
  return wrong;
}
