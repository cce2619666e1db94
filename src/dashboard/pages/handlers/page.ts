import type { HandlerReport } from '../../../control/handler-report.js';
import { lineOfOthers } from '../../letters/lines-of-others.js';
import type { Redaction } from '../../letters/redaction.js';
import { answerOf } from '../../site/answer.js';
import { handlerIdOf } from '../../site/seen.js';
import type { Site } from '../../site/site.js';
import { ofSegment } from '../addresses.js';
import { lookedOf } from '../looked-of.js';
import { NotFound, type Page } from '../page.js';
import { choiceOf, offsetOf, textOf } from '../query.js';
import { chartedOf, sumOf } from '../series.js';
import {
  HANDLER_SORTS,
  type HandlerModel,
  type HandlerRow,
  type HandlerSort,
  type HandlersModel,
  WORK_SERIES,
} from './model.js';

const FRESH_MS = 2_000;
const LIMIT = 100;

/** Single messages of one handler. */
const MOST_MESSAGES = 20;

export const handlers: Page<HandlersModel> = {
  name: 'handlers',
  path: '/handlers',
  freshMs: FRESH_MS,
  title: () => 'Handlers',
  async load({ site, query }) {
    const seen = await site.watch.latest();
    const [text, sort, offset] = [
      textOf(query, 'text'),
      choiceOf(query, 'sort', HANDLER_SORTS),
      offsetOf(query),
    ];
    const found = sorted(matching(seen.handlers, text), sort);
    return {
      looked: lookedOf(seen),
      ...{ text, sort, offset, limit: LIMIT, count: found.length },
      rows: found.slice(offset, offset + LIMIT).map((each) => rowOf(each, site.letters.redaction)),
    };
  },
};

export const handler: Page<HandlerModel> = {
  name: 'handler',
  path: '/handlers/:service/:queue/:handler',
  freshMs: FRESH_MS,
  title: ({ handler: { handler: name } }) => name,
  async load({ site, params, query }) {
    const seen = await site.watch.latest();
    const [service, queue, name] = [params.service, params.queue, params.handler].map(ofSegment);
    const isIt = (each: Pick<HandlerReport, 'service' | 'queue' | 'handler'>) =>
      each.service === service && each.queue === queue && each.handler === name;
    const found = seen.handlers.find(isIt);
    if (!found)
      throw new NotFound(
        `No worker of '${service}' that answers has a handler '${name}' on queue '${queue}'.`,
      );
    const [charts, messages] = await Promise.all([
      chartedOf(site, { names: WORK_SERIES, subject: handlerIdOf(found), query }),
      messagesOf(site),
    ]);
    return {
      looked: lookedOf(seen),
      handler: shown(found, site.letters.redaction),
      handledInSpan: sumOf(charts.of.handled),
      charts,
      slowest: messages.slowest.filter(isIt).slice(0, MOST_MESSAGES),
      running: messages.running.filter(isIt).slice(0, MOST_MESSAGES),
      problem: messages.problem,
    };
  },
};

async function messagesOf({ watch, clock }: Site) {
  const ask = () => Promise.all([watch.slowest(), watch.running()]);
  const { value: [slowest, running] = [[], []], problem } = await answerOf('a worker', clock, ask);
  return { slowest, running, problem };
}

/** With its errors as they are shown. */
const shown = (handler: HandlerReport, redaction: Redaction): HandlerReport => ({
  ...handler,
  errors: handler.errors.map(({ kind, message, ...error }) => ({
    ...error,
    kind: lineOfOthers(kind, redaction),
    message: lineOfOthers(message, redaction),
  })),
});

function rowOf(handler: HandlerReport, redaction: Redaction): HandlerRow {
  const {
    errors: [lastError],
    ...row
  } = shown(handler, redaction);
  return { ...row, lastError };
}

function matching(all: readonly HandlerReport[], text: string): HandlerReport[] {
  const wanted = text.toLowerCase();
  return all.filter(({ service, queue, handler: name }) =>
    `${service}\n${queue}\n${name}`.toLowerCase().includes(wanted),
  );
}

const FIGURES: Readonly<Record<HandlerSort, ((handler: HandlerReport) => number) | undefined>> = {
  name: undefined,
  rate: ({ perSecond }) => perSecond,
  'run time': ({ runtimeMs }) => runtimeMs?.p95 ?? -1,
  failures: ({ failureRate = -1 }) => failureRate,
  'dead letters': ({ deadLettered }) => deadLettered,
};

/** By name, those of one queue stand together; by a figure, the largest first. */
function sorted(all: readonly HandlerReport[], sort: HandlerSort): HandlerReport[] {
  const figure = FIGURES[sort];
  const nameOf = ({ queue, handler: name, service }: HandlerReport) => `${queue}\n${name}\n${service}`;
  const compare = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0);
  return all.toSorted(
    (left, right) => (figure ? figure(right) - figure(left) : 0) || compare(nameOf(left), nameOf(right)),
  );
}
