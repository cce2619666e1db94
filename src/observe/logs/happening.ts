import type { LogFields } from '../../events/log-fields.js';
import type { BusEvents, EventName } from '../../events.js';
import { formatMs } from '../../util/duration.js';
import { errorKind } from '../../util/text/error-text.js';
import { type Failure, failureWording } from '../failure-log/failure.js';
import type { Counted, LogLevel, Wording } from '../failure-log/sum.js';
import { EVENT_LINES, type EventLine } from './catalogue.js';

/** An event that gets a line. */
export interface Happening {
  readonly name: EventName;
  readonly level: LogLevel;
  readonly event: BusEvents[EventName];
  /** The failure that it tells of, if it does. */
  readonly failure?: Failure;
}

/** Two events of one name are told of together if they have these in common. */
interface Kin {
  readonly queue?: string;
  readonly handler?: string;
  readonly connection?: string;
  readonly channel?: string;
  readonly why?: string;
  readonly error?: unknown;
}

/** How events are told of; failures as the log of failures does. */
export const happeningWording: Wording<Happening> = {
  kindOf({ name, event, failure }) {
    if (failure) return failureWording.kindOf(failure);
    const { queue, handler, connection, channel, why, error } = event as Kin;
    return [name, queue, handler, connection, channel, why, errorKind(error)].join('\n');
  },
  levelOf: ({ level }) => level,
  fateOf: ({ failure }) => failure && failureWording.fateOf(failure),
  fieldsOf,
  lineOf({ name, event, failure }) {
    return failure ? failureWording.lineOf(failure) : (EVENT_LINES[name] as EventLine<unknown>).say(event);
  },
  sumOf(last, counted) {
    const { failure } = last;
    if (failure && !counted.isMixed) return failureWording.sumOf(failure, counted);
    return sumText(happeningWording.lineOf(last), counted);
  },
};

function sumText(last: string, { count, sinceMs, isMixed }: Counted): string {
  const what = isMixed ? `${count} of other kinds` : `${count} times more`;
  return `${what} in ${formatMs(sinceMs)}, the last: ${last}`;
}

/** Names that are another field's in other events, or are called by another name in logs. */
interface Renamed {
  readonly error?: unknown;
  readonly failedError?: unknown;
  readonly why?: string;
  readonly refused?: boolean | number;
  readonly tries?: number;
}

function fieldsOf({ name, event, failure }: Happening): LogFields {
  const { error, failedError: _, why, refused, tries, ...same } = event as Renamed;
  const fields: { [Field in keyof LogFields]?: LogFields[Field] | undefined } = {
    event: name,
    ...same,
    outcome: EVENT_LINES[name].outcome,
    tries: Number.isFinite(tries) ? tries : undefined,
    err: failure ? failure.error : error,
    ...(why === undefined ? {} : { reason: why }),
    ...(typeof refused === 'number' ? { unpublished: refused } : { refused }),
  };
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known.map(([field, value]) => [field, rounded(value)]));
}

/** A duration is measured by the nanosecond; a line has it in hundredths of a millisecond. */
const rounded = (value: unknown): unknown =>
  typeof value === 'number' ? Math.round(value * 100) / 100 : value;
