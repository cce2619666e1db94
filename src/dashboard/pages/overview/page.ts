import type { FailureGroup, IndexState } from '../../../failures/groups/group.js';
import type { Operation } from '../../../failures/operations/operation.js';
import { lineOfOthers } from '../../letters/lines-of-others.js';
import type { Redaction } from '../../letters/redaction.js';
import { answerOf } from '../../site/answer.js';
import { handlerIdOf, type Seen } from '../../site/seen.js';
import type { Site } from '../../site/site.js';
import { lastOf, thinned } from '../../ui/chart/chart-data.js';
import { handlerPath } from '../handlers/handler-path.js';
import { WORK_SERIES } from '../handlers/model.js';
import { lookedOf } from '../looked-of.js';
import { operationsOf } from '../operations/known.js';
import type { Page } from '../page.js';
import { knownSum } from '../queues/rows.js';
import { chartedOf, sumOf } from '../series.js';
import type { Examined, HandlerHour, NewGroup, OverviewModel, RunningOperation } from './model.js';
import { wrongOf } from './wrong.js';

const FRESH_MS = 2_000;

/** Handlers, groups and operations that are shown; the rest is behind a link. */
const MOST = { handlers: 12, groups: 6, operations: 5, findings: 100 };

/** Points of a small picture in a table. */
const SPARKS = 30;

export const overview: Page<OverviewModel> = {
  name: 'overview',
  path: '/',
  freshMs: FRESH_MS,
  title: () => 'Overview',
  async load({ site, query }) {
    const seen = await site.watch.latest();
    const [charts, handlers, known, examined, { value: operations = [], problem }] = await Promise.all([
      chartedOf(site, { names: WORK_SERIES, query }),
      handlerHours(site, seen),
      answerOf('the broker', site.clock, () => site.index.groups({ parts: SPARKS })),
      query.has('doctor') ? examinedBy(site) : undefined,
      operationsOf(site),
    ]);
    const groups = known.value ?? [];
    return {
      looked: lookedOf(seen),
      ...totalsOf(seen),
      wrong: wrongOf(seen, site.watch.alerts()),
      examined,
      charts,
      handlers,
      handlerCount: seen.handlers.length,
      groups: groups.slice(0, MOST.groups).map((group) => newGroup(group, site.letters.redaction)),
      groupCount: groups.length,
      index: indexOf(site.index.state, known.problem),
      operations: operations
        .filter(({ endedAt }) => endedAt === undefined)
        .slice(0, MOST.operations)
        .map(runningOf),
      operationsProblem: problem,
    };
  },
};

/** @param problem why its groups are not known */
const indexOf = (state: IndexState, problem: string | undefined): IndexState =>
  problem === undefined ? state : { ...state, state: 'stale', problem: state.problem ?? problem };

/** Nothing before the broker was reached: that is not known, and not 0. */
const NO_TOTALS = {
  ...{ processes: undefined, perSecond: undefined, failureRate: undefined, running: undefined },
  ...{ slots: undefined, waiting: undefined, oldestMs: undefined, deadLetters: undefined },
};

function totalsOf({ at, processes, handlers, queues }: Seen) {
  if (at === undefined) return NO_TOTALS;
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const perSecond = sum(handlers.map((each) => each.perSecond));
  const failing = sum(handlers.map((each) => each.perSecond * (each.failureRate ?? 0)));
  const oldest = queues.flatMap(({ oldestMs }) => oldestMs ?? []);
  return {
    processes: processes.length,
    perSecond,
    failureRate: perSecond === 0 ? undefined : failing / perSecond,
    running: sum(handlers.map(({ running }) => running)),
    slots: knownSum(processes.flatMap(({ slotGroups }) => slotGroups.map(({ slots }) => slots))),
    waiting: knownSum(queues.map(({ length }) => length)),
    oldestMs: oldest.length === 0 ? undefined : Math.max(...oldest),
    deadLetters: knownSum(queues.map(({ deadLetters }) => deadLetters)),
  };
}

/** Without its ids, which may be a thousand. */
const runningOf = (operation: Operation): RunningOperation => {
  const { id, kind, by, state, startedAt, total, done, failed } = operation;
  return { id, kind, by, state, startedAt, total, done, failed };
};

/** The last hour of those that do most. */
async function handlerHours(site: Site, { handlers }: Seen): Promise<HandlerHour[]> {
  const busiest = handlers
    .toSorted((left, right) => right.attempts - left.attempts)
    .slice(0, MOST.handlers)
    // Not by what changes: rows that change places can't be read.
    .toSorted((left, right) => (handlerPath(left) < handlerPath(right) ? -1 : 1));
  return Promise.all(
    busiest.map(async (handler) => {
      const names = ['handled', 'failed', 'dead-lettered', 'run-p95', 'wait-p95'] as const;
      const { of: charts } = await chartedOf(site, { names, subject: handlerIdOf(handler) });
      return {
        service: handler.service,
        queue: handler.queue,
        handler: handler.handler,
        handled: sumOf(charts.handled),
        failed: sumOf(charts.failed),
        deadLettered: sumOf(charts['dead-lettered']),
        throughput: thinned(charts.handled, SPARKS),
        runP95Ms: handler.runtimeMs?.p95 ?? lastOf(charts['run-p95']),
        waitP95Ms: handler.waitMs?.p95 ?? lastOf(charts['wait-p95']),
      };
    }),
  );
}

/** An examination may take longer than a page: it goes on, and a later model has it. */
async function examinedBy({ clock, examine }: Site): Promise<Examined> {
  const { value = [], problem } = await answerOf('doctor', clock, examine);
  const tones = { error: 'bad', warning: 'warn', ok: 'good', unknown: 'quiet' } as const;
  const order = ['bad', 'warn', 'quiet', 'good'];
  const findings = value
    .map(({ severity, message, help }) => ({ tone: tones[severity], message, help }))
    .toSorted((left, right) => order.indexOf(left.tone) - order.indexOf(right.tone))
    .slice(0, MOST.findings);
  return { findings, problem };
}

const newGroup = (group: FailureGroup, redaction: Redaction): NewGroup => ({
  id: group.id,
  kind: lineOfOthers(group.kind, redaction),
  message: lineOfOthers(group.message, redaction),
  handler: group.handler,
  queue: group.queue,
  count: group.count,
  state: group.state,
  sparkline: group.sparkline,
  lastAt: group.lastAt?.getTime(),
});
