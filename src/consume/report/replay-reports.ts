import { PublishRejectedError, UnroutableError } from '../../errors.js';
import { PackItem } from '../../features/pack/pack.js';
import {
  encodeReport,
  type ReplayEnd,
  type ReplayReport,
  reportKeyOf,
} from '../../message/wire/replay-report.js';
import { cutStack, givenUpText } from '../../pipeline/errors/error-header.js';
import type { Outcome, OutcomeOf } from '../../pipeline/outcome.js';
import type { Work } from '../../pipeline/work.js';
import type { Names } from '../../topology/names.js';
import type { Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';

export interface ReplayReportsOptions {
  readonly service: string;
  readonly names: Names;
  readonly session: Pick<Session, 'publish'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Deadline of a report: whoever watches does not wait longer. */
const REPORT_MS = 5_000;

/** Milliseconds for which nothing is reported once the broker has refused a report: each refusal costs the process its channel. */
const QUIET_MS = 60_000;

/** Tells whoever watches a replay how its messages ended. Best effort: no message waits for it, and none is held for it. */
export class ReplayReports {
  private quietUntil = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: ReplayReportsOptions) {}

  /** Called when a message has ended, and the broker knows; one that comes back has not. */
  ended(work: Work, outcome: Outcome): void {
    const { replay } = work.received;
    const report = replay && reportOf(work, outcome);
    if (report) void this.send(replay.id, report);
  }

  private async send(id: string, report: ReplayReport): Promise<void> {
    const { service, names, session, clock, log } = this.options;
    if (clock.monotonic() < this.quietUntil) return;
    try {
      await session.publish({
        to: 'exchange',
        exchange: names.controlTo,
        routingKey: reportKeyOf(id),
        body: encodeReport(report),
        properties: { contentType: 'application/json' },
        mustRoute: false,
        deadlineMs: REPORT_MS,
      });
    } catch (error) {
      if (error instanceof PublishRejectedError || error instanceof UnroutableError)
        this.quietUntil = clock.monotonic() + QUIET_MS;
      log.debug({ service, replay: id, error }, 'how a replay ended could not be told');
    }
  }
}

const ENDS: Readonly<Partial<Record<Outcome['kind'], ReplayEnd>>> = {
  done: 'handled',
  skip: 'skipped',
  discard: 'discarded',
  'dead-letter': 'dead-lettered',
};

function reportOf({ received, match }: Work, outcome: Outcome): ReplayReport | undefined {
  const end = ENDS[outcome.kind];
  const { delivery, routingKey } = received;
  const whole = delivery instanceof PackItem ? delivery.pack.delivery : delivery;
  const { messageId } = whole.properties;
  if (end === undefined || messageId === undefined) return undefined;
  const { queue } = whole;
  const failure = outcome.kind === 'dead-letter' ? failureOf(outcome) : {};
  return { messageId, end, queue, routingKey, handler: match?.handler.name, ...failure };
}

const failureOf = (outcome: OutcomeOf<'dead-letter'>): Pick<ReplayReport, 'reason' | 'error' | 'stack'> => ({
  reason: outcome.reason,
  error: givenUpText(outcome),
  stack: cutStack(outcome.error),
});
