import type { Measure } from '../../src/observe/alerts/measuring/measure.js';
import { MEASURES } from '../../src/observe/alerts/measuring/measures.js';
import type { MeasureName } from '../../src/observe/alerts/rules/measure-name.js';

/** Meaning of each measure. */
const MEANINGS: Readonly<Record<MeasureName, string>> = {
  queue_length: 'messages that wait in a queue',
  oldest: 'time since the publish of the message that has waited longest',
  no_consumers:
    'time for which messages wait and nobody consumes the queue, unless an operator has paused it. An empty queue may be scaled to zero',
  wait_p95:
    '95th percentile of the time from the publish to the first attempt, over the last 30 to 60 s. It has no default: what it may be is the target of a service',
  time_to_clear: 'time to handle what waits, at the rate of the window, while the queue grows',
  dead_letters: 'new dead letters of a queue',
  silence:
    'time without a new message of the queue. It has no default: name the queues that always have traffic',
  failure_rate: "share of a handler's attempts that failed, from a number of attempts on",
  overrun: 'time for which an attempt has run beyond the timeout of its handler',
  busy_slots:
    'share of the time for which all slots of a queue were busy, while the time that messages wait rises',
  unreachable: 'time for which the broker can not be asked; all else is unknown meanwhile',
  blocked: 'time for which the broker takes no messages: a memory or disk alarm',
  near_alarm: 'memory or disk of a node, as a share of what raises an alarm (asks the management API)',
  quorum_critical:
    'quorum queues of three copies or more that stand still when one more node is lost (asks the management API)',
  overdue_delay:
    'time for which messages stay in a level of the delays though they are due (asks the management API)',
  lost_delayed: 'messages that no queue took when their delay was over',
  outbox_lag: 'wait of the oldest message of the outbox',
  overdue_batches: 'batches whose notification is decided and not sent',
};

const BETWEEN = /(<!-- measures: .* -->\n)[\s\S]*?(<!-- \/measures -->)/;

/** The page with the table of all that rules can be about. */
export function alertsPage(page: string): string {
  const rows = Object.entries(MEASURES).map(([name, measure]: readonly [string, Measure]) => {
    const { byDefault = '–', for: holds = '–', within = '–', atLeast } = measure;
    const rule = byDefault === '–' ? byDefault : `\`${byDefault}\``;
    const least = atLeast === undefined ? '' : `, at least ${atLeast}`;
    return `| \`${name}\` | ${MEANINGS[name as MeasureName]} | ${rule} | ${holds} | ${within}${least} |`;
  });
  const head = '| measure | is | default rule | for | within |\n| --- | --- | --- | --- | --- |';
  return page.replace(BETWEEN, (_whole, begin, end) => `${begin}${head}\n${rows.join('\n')}\n${end}`);
}
