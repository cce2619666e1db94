/** A series and its values, minute by minute, in promtool's notation. */
export interface Given {
  readonly series: string;
  readonly values: string;
}

/** What an alert is tried with. */
export interface RuleCase {
  readonly alert: string;
  readonly severity: 'warning' | 'critical';
  /** Labels that it has beside its severity. */
  readonly labels: Readonly<Record<string, string>>;
  readonly given: readonly Given[];
  /** When it fires, and when it does not. */
  readonly fires: readonly string[];
  readonly isQuiet: readonly string[];
}

const queue = { service: 's', queue: 'q' };
const handler = { ...queue, handler: 'h' };

const of = (labels: object) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',');

/** A series of two processes, of which the second is given other values. */
const inBoth = (name: string, labels: object, values: string, other: string): Given[] => [
  { series: `${name}{${of({ ...labels, instance: 'a' })}}`, values },
  { series: `${name}{${of({ ...labels, instance: 'b' })}}`, values: other },
];

const one = (name: string, labels: object, values: string): Given => ({
  series: `${name}{${of(labels)}}`,
  values,
});

/** For each alert what makes it fire, and end. */
export const RULE_CASES: readonly RuleCase[] = [
  {
    alert: 'HoplineBacklogGrowing',
    severity: 'warning',
    labels: queue,
    // It grows over 1,000 in the fifth minute, and stays where it is from the thirtieth on.
    given: inBoth('hopline_queue_messages', queue, '0+250x29 7250x60', '0+250x29 7250x60'),
    fires: ['15m', '29m'],
    isQuiet: ['4m', '8m', '45m'],
  },
  {
    alert: 'HoplineBacklogLarge',
    severity: 'critical',
    labels: queue,
    given: inBoth('hopline_queue_messages', queue, '0x4 6000x20 0x20', '0x44'),
    fires: ['12m'],
    isQuiet: ['4m', '8m', '30m'],
  },
  {
    alert: 'HoplineOldestMessage',
    severity: 'warning',
    labels: queue,
    given: inBoth('hopline_oldest_message_seconds', queue, '0+60x10 0x10', '0x20'),
    fires: ['8m'],
    isQuiet: ['5m', '15m'],
  },
  {
    alert: 'HoplineFailureRate',
    severity: 'warning',
    labels: handler,
    given: [
      ...inBoth(
        'hopline_messages_handled_total',
        { ...handler, outcome: 'failed' },
        '0x10 0+3x10 30x30',
        '0x50',
      ),
      ...inBoth('hopline_messages_handled_total', { ...handler, outcome: 'succeeded' }, '0+10x50', '0+10x50'),
    ],
    fires: ['16m', '20m'],
    isQuiet: ['10m', '30m'],
  },
  {
    // Too few runs to say anything.
    alert: 'HoplineFailureRate',
    severity: 'warning',
    labels: handler,
    given: inBoth('hopline_messages_handled_total', { ...handler, outcome: 'failed' }, '0+1x30', '0+1x30'),
    fires: [],
    isQuiet: ['20m'],
  },
  {
    alert: 'HoplineDeadLetters',
    severity: 'warning',
    labels: { ...queue, reason: 'exhausted' },
    given: inBoth(
      'hopline_messages_dead_lettered_total',
      { ...handler, reason: 'exhausted' },
      '0x10 1x30',
      '0x40',
    ),
    fires: ['12m'],
    isQuiet: ['10m', '20m'],
  },
  {
    // The series begins with its first dead letter.
    alert: 'HoplineDeadLetters',
    severity: 'warning',
    labels: { ...queue, reason: 'invalid' },
    given: [
      one('hopline_messages_dead_lettered_total', { ...handler, reason: 'invalid' }, '_x10 1x30'),
      one('hopline_build_info', { service: 's', version: '1' }, '1x40'),
    ],
    fires: ['10m', '12m'],
    isQuiet: ['9m', '20m'],
  },
  {
    // Two processes, of which one is not scraped for ten minutes, and then neither.
    alert: 'HoplineDeadLetters',
    severity: 'warning',
    labels: { ...queue, reason: 'invalid' },
    given: [
      ...inBoth(
        'hopline_messages_dead_lettered_total',
        { ...handler, reason: 'invalid' },
        '5x10 _x10 5x20 _x10 5x20',
        '3x40 _x10 3x20',
      ),
      ...inBoth('hopline_build_info', { service: 's' }, '1x10 _x10 1x20 _x10 1x20', '1x40 _x10 1x20'),
    ],
    fires: [],
    isQuiet: ['20m', '22m', '26m', '51m', '53m', '58m'],
  },
  {
    // A Prometheus that is new.
    alert: 'HoplineDeadLetters',
    severity: 'warning',
    labels: { ...queue, reason: 'invalid' },
    given: [
      one('hopline_messages_dead_lettered_total', { ...handler, reason: 'invalid' }, '_x10 5x30'),
      one('hopline_build_info', { service: 's' }, '_x10 1x30'),
    ],
    fires: [],
    isQuiet: ['11m', '14m', '16m', '20m'],
  },
  {
    alert: 'HoplineNoConsumers',
    severity: 'critical',
    labels: queue,
    given: inBoth('hopline_consumers', queue, '1x5 0x20 1x20', '0x45'),
    fires: ['10m'],
    isQuiet: ['5m', '30m'],
  },
  {
    // An operator has paused it.
    alert: 'HoplineNoConsumers',
    severity: 'critical',
    labels: queue,
    given: [
      ...inBoth('hopline_consumers', queue, '0x30', '0x30'),
      ...inBoth('hopline_consumer_paused', { ...queue, reason: 'operator' }, '1x30', '1x30'),
    ],
    fires: [],
    isQuiet: ['10m'],
  },
  {
    // Others are paused for a while, or by an operator in one process alone.
    alert: 'HoplineNoConsumers',
    severity: 'critical',
    labels: queue,
    given: [
      ...inBoth('hopline_consumers', queue, '0x30', '0x30'),
      ...inBoth('hopline_consumer_paused', { ...queue, reason: 'higher-lane' }, '1x30', '1x30'),
      one('hopline_consumer_paused', { ...queue, reason: 'operator', instance: 'a' }, '1x30'),
    ],
    fires: ['10m'],
    isQuiet: ['1m'],
  },
  {
    alert: 'HoplinePaused',
    severity: 'warning',
    labels: queue,
    given: [
      ...inBoth(
        'hopline_consumer_paused',
        { ...queue, reason: 'operator' },
        '_x5 1x90 _x20',
        '_x5 1x90 _x20',
      ),
      one('hopline_consumer_paused', { ...queue, reason: 'circuit-open' }, '1x120'),
    ],
    fires: ['70m', '90m'],
    isQuiet: ['5m', '60m', '110m'],
  },
  {
    alert: 'HoplineGone',
    severity: 'critical',
    labels: { service: 's' },
    given: [one('hopline_build_info', { service: 's', version: '1' }, '1x10 _x1600')],
    fires: ['18m', '60m', '20h'],
    isQuiet: ['10m', '25h'],
  },
  {
    // It is there again, in another version.
    alert: 'HoplineGone',
    severity: 'critical',
    labels: { service: 's' },
    given: [
      one('hopline_build_info', { service: 's', version: '1' }, '1x10 _x90'),
      one('hopline_build_info', { service: 's', version: '2' }, '_x60 1x40'),
    ],
    fires: ['50m'],
    isQuiet: ['62m', '90m'],
  },
  {
    alert: 'HoplineNotReady',
    severity: 'warning',
    labels: { service: 's' },
    given: inBoth('hopline_ready', { service: 's' }, '1x5 0x10 1x20', '1x35'),
    fires: ['12m'],
    isQuiet: ['5m', '9m', '20m'],
  },
  {
    alert: 'HoplineBlocked',
    severity: 'critical',
    labels: { service: 's', connection: 'publish' },
    given: inBoth(
      'hopline_connection_blocked',
      { service: 's', connection: 'publish' },
      '0x5 1x10 0x20',
      '0x35',
    ),
    fires: ['8m'],
    isQuiet: ['5m', '20m'],
  },
  {
    alert: 'HoplineReconnectLoop',
    severity: 'warning',
    labels: { service: 's', connection: 'consume' },
    given: inBoth(
      'hopline_connection_failures_total',
      { service: 's', connection: 'consume' },
      '0x10 0+1x10 10x30',
      '0x50',
    ),
    fires: ['20m'],
    isQuiet: ['10m', '13m', '40m'],
  },
  {
    // The broker was restarted: eight processes of one supervisor have lost it once, and two of their own.
    alert: 'HoplineReconnectLoop',
    severity: 'warning',
    labels: { service: 's', connection: 'consume' },
    given: [
      ...inBoth(
        'hopline_connection_failures_total',
        { service: 's', connection: 'consume' },
        '0x10 8x30',
        '0x10 1x30',
      ),
      one(
        'hopline_connection_failures_total',
        { service: 's', connection: 'consume', instance: 'c' },
        '0x10 1x30',
      ),
      one('hopline_work_processes', { instance: 'a' }, '8x40'),
    ],
    fires: [],
    isQuiet: ['12m', '16m', '20m'],
  },
  {
    // Two processes of one supervisor lose it again and again.
    alert: 'HoplineReconnectLoop',
    severity: 'warning',
    labels: { service: 's', connection: 'consume' },
    given: [
      one(
        'hopline_connection_failures_total',
        { service: 's', connection: 'consume', instance: 'a' },
        '0x10 0+2x10 20x30',
      ),
      one('hopline_work_processes', { instance: 'a' }, '2x50'),
    ],
    fires: ['20m'],
    isQuiet: ['10m', '13m', '40m'],
  },
  {
    alert: 'HoplineOutboxLag',
    severity: 'warning',
    labels: { service: 's' },
    given: inBoth('hopline_outbox_lag_seconds', { service: 's' }, '0+20x10 0x20', '0+20x10 0x20'),
    fires: ['8m'],
    isQuiet: ['3m', '20m'],
  },
  {
    // Busy from the twentieth minute on, while what waits goes from under a second to under ten.
    alert: 'HoplineSlotsBusy',
    severity: 'warning',
    labels: queue,
    given: [
      one('hopline_slots', queue, '10x80'),
      one('hopline_slots_busy_seconds_total', queue, '0+60x20 1200+600x60'),
      one('hopline_message_wait_seconds_bucket', { ...handler, le: '1' }, '0+60x20 1200x60'),
      one('hopline_message_wait_seconds_bucket', { ...handler, le: '10' }, '0+60x20 1200+60x60'),
      one('hopline_message_wait_seconds_bucket', { ...handler, le: '+Inf' }, '0+60x20 1200+60x60'),
    ],
    fires: ['40m', '45m'],
    isQuiet: ['20m', '29m', '65m'],
  },
  {
    // Two queues that share their slots, one of which has lanes; nothing came before the twentieth minute.
    alert: 'HoplineSlotsBusy',
    severity: 'warning',
    labels: { service: 's', queue: 'a,b' },
    given: [
      one('hopline_slots', { service: 's', queue: 'a,b' }, '10x80'),
      one('hopline_slots_busy_seconds_total', { service: 's', queue: 'a,b' }, '0x20 0+600x60'),
      ...['1', '10', '+Inf'].map((le) =>
        one(
          'hopline_message_wait_seconds_bucket',
          { service: 's', queue: 'a.high', handler: 'h', le },
          le === '1' ? '0x80' : '0x20 0+60x60',
        ),
      ),
    ],
    fires: ['35m', '45m'],
    isQuiet: ['20m', '29m', '65m'],
  },
  {
    // Busy, but nothing waits.
    alert: 'HoplineSlotsBusy',
    severity: 'warning',
    labels: queue,
    given: [
      one('hopline_slots', queue, '10x80'),
      one('hopline_slots_busy_seconds_total', queue, '0x20 0+600x60'),
      ...['1', '+Inf'].map((le) =>
        one('hopline_message_wait_seconds_bucket', { ...handler, le }, '0x20 0+60x60'),
      ),
    ],
    fires: [],
    isQuiet: ['29m', '40m', '65m'],
  },
  {
    alert: 'HoplineHandlerStuck',
    severity: 'warning',
    labels: handler,
    given: [
      one('hopline_handler_timeout_seconds', handler, '60x30'),
      one('hopline_handler_longest_seconds', handler, '0+60x10 0x20'),
    ],
    fires: ['6m'],
    isQuiet: ['2m', '20m'],
  },
  {
    alert: 'HoplineCircuitOpen',
    severity: 'warning',
    labels: handler,
    given: inBoth('hopline_circuit_open', handler, '0x5 1x10 0x20', '0x35'),
    fires: ['12m'],
    isQuiet: ['5m', '9m', '20m'],
  },
];
