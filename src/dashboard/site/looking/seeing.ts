import { handlerReports, type Percentiles, percentiles } from '../../../control/handler-report.js';
import type { Survey } from '../../../oversight/application/survey.js';
import { delayLevels } from '../../../topology/delays.js';
import type { Names } from '../../../topology/names.js';
import type { BrokerInfo } from '../../../transport/transport.js';
import type { Moment, Values } from '../history/history.js';
import { handlerIdOf, type Seen, type SeenBroker, type SeenDelay } from '../seen.js';
import { HandlerRates, type Rates } from './handler-rates.js';
import { QueuesRates } from './queue-rates.js';
import { momentsOf, seenQueues, sumOf } from './seen-queues.js';

type RatesOfHandlers = ReadonlyMap<string, Rates & { readonly queue: string }>;

/** What a look has seen that the broker has answered. */
type Looked = Seen & { readonly at: number };

/** Makes of each look what pages see of it, with what only several looks can say. */
export class Seeing {
  private readonly handlers = new HandlerRates();
  private readonly queues = new QueuesRates();
  private before: number | undefined;

  constructor(private readonly names: Names) {}

  /** @param now wall-clock milliseconds */
  see(survey: Survey, info: BrokerInfo, now: number): { readonly seen: Seen; readonly moment: Moment } {
    const { processes, at, silent, unasked, paused, lost } = survey;
    const reports = handlerReports(
      processes.flatMap(({ service, handlers }) => handlers.map((each) => ({ ...each, service }))),
    );
    const known = this.handlers.take(processes, at);
    const rates: RatesOfHandlers = new Map(
      reports.flatMap((report) => {
        const id = handlerIdOf(report);
        const own = known.get(id);
        return own ? [[id, { ...own, queue: report.queue }] as const] : [];
      }),
    );
    const queueRates = this.queues.take(momentsOf(survey, rates), at);
    const seen: Looked = {
      at: now,
      reached: true,
      silent: unasked === undefined ? silent : [unasked, ...silent],
      processes: processes.map(({ handlers: _, version, ...process }) => ({ ...process, version })),
      handlers: reports,
      queues: seenQueues(survey, queueRates),
      delays: delaysOf(survey, this.names),
      broker: brokerOf(survey, info),
      paused,
      lost,
    };
    const moment = momentOf(seen, survey, rates, this.before);
    this.before = now;
    return { seen, moment };
  }
}

function delaysOf({ delays, managed }: Survey, names: Names): SeenDelay[] {
  const stands = new Map(managed?.delays.map((delay) => [delay.queue, delay.stands]));
  return delayLevels(names).map(({ queue, longestMs }) => {
    const length = delays.get(queue);
    return { queue, length, dueMs: longestMs, stands: stands.get(queue) };
  });
}

function brokerOf({ blocked, managed }: Survey, { product, version, cluster }: BrokerInfo): SeenBroker {
  return {
    name: `${product} ${version}`,
    cluster,
    blocked,
    nodes: managed?.nodes ?? [],
    critical: managed?.critical,
    connections: managed?.connections,
    connectionChurn: managed?.connectionChurn,
  };
}

function momentOf(
  seen: Looked,
  { processes }: Survey,
  rates: RatesOfHandlers,
  before: number | undefined,
): Moment {
  const handlers = new Map<string, Values>(
    seen.handlers.map((report) => {
      const id = handlerIdOf(report);
      return [
        id,
        { ...ratesIn(rates.get(id)), ...timesIn('wait', report.waitMs), ...timesIn('run', report.runtimeMs) },
      ];
    }),
  );
  const all = processes.flatMap((process) => process.handlers);
  const wholes = new Map(seen.queues.map(({ of, deadLetters }) => [of, deadLetters]));
  return {
    at: seen.at,
    before,
    all: {
      ...ratesIn(addedUp([...rates.values()])),
      ...timesIn(
        'wait',
        percentiles(
          all.map(({ wait }) => wait),
          1,
        ),
      ),
      ...timesIn(
        'run',
        percentiles(
          all.map(({ runtime }) => runtime),
          1_000,
        ),
      ),
      length: sumOf(seen.queues.map(({ length }) => length)),
      'dead-letters': sumOf([...wholes.values()]),
    },
    handlers,
    queues: queueValues(seen, rates),
  };
}

/** Rates of a queue with lanes are those of the queue, not of each lane. */
function queueValues({ queues }: Seen, rates: RatesOfHandlers): Map<string, Values> {
  const byQueue = new Map<string, Rates[]>();
  for (const own of rates.values()) byQueue.set(own.queue, [...(byQueue.get(own.queue) ?? []), own]);
  return new Map(
    queues.map(({ queue, length, deadLetters }) => [
      queue,
      { length, 'dead-letters': deadLetters, ...ratesIn(addedUp(byQueue.get(queue) ?? [])) },
    ]),
  );
}

/** Undefined if there are none. */
function addedUp(rates: readonly Rates[]): Rates | undefined {
  if (rates.length === 0) return undefined;
  const sum = (of: (rates: Rates) => number) => rates.reduce((total, each) => total + of(each), 0);
  return {
    handled: sum(({ handled }) => handled),
    failed: sum(({ failed }) => failed),
    deadLettered: sum(({ deadLettered }) => deadLettered),
  };
}

const ratesIn = (rates: Rates | undefined): Values => ({
  handled: rates?.handled,
  failed: rates?.failed,
  'dead-lettered': rates?.deadLettered,
});

const timesIn = (name: 'wait' | 'run', times: Percentiles | undefined): Values => ({
  [`${name}-p50`]: times?.p50,
  [`${name}-p95`]: times?.p95,
  [`${name}-p99`]: times?.p99,
});
