import { randomUUID } from 'node:crypto';
import { type GenericSchema, optional, picklist, string } from 'valibot';
import { REPORT_VERSION, type ReplayReport, reportKeyOf } from '../../message/wire/replay-report.js';
import type { Names } from '../../topology/names.js';
import type { Heard, Listening } from '../../transport/operator-session.js';
import type { Session } from '../../transport/transport.js';
import { shapeOf, text, versionedIn } from '../../util/json-shape.js';

const report = shapeOf<ReplayReport>({
  messageId: text,
  end: picklist(['handled', 'skipped', 'discarded', 'dead-lettered']),
  queue: string(),
  routingKey: string(),
  handler: optional(string()),
  // Another version may have more of them.
  reason: optional(string()) as unknown as GenericSchema<unknown, ReplayReport['reason']>,
  error: optional(string()),
  stack: optional(string()),
});

/** A report is a few kilobytes, whatever the error. */
const MOST_BYTES = 64 * 1024;

/** Undefined for a body of another form: any program may publish there. */
const decodeReport = ({ body }: Heard): ReplayReport | undefined =>
  body.length > MOST_BYTES ? undefined : versionedIn(body, REPORT_VERSION, report);

/**
 * Hears how the messages of a replay end, until it is closed. What is reported while the connection is away is lost: `back` is called
 * when it was.
 *
 * @throws TopologyError if the broker doesn't allow it, or no worker has ever listened for operators
 */
export function hearReports(
  session: Pick<Session, 'listen'>,
  names: Names,
  replay: string,
  { heard, back }: { heard(report: ReplayReport): void; back(): void },
): Promise<Listening> {
  return session.listen(
    {
      exchange: names.controlTo,
      key: reportKeyOf(replay),
      queueName: () => `${names.control}.${randomUUID()}`,
    },
    {
      heard: (message) => {
        const told = decodeReport(message);
        if (told) heard(told);
      },
      back,
    },
  );
}
