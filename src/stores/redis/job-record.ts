import type { StoredJob, StoredJobState } from '../jobs.js';

type Text = string | null;
type Count = number | null;

/** Fields of a record in the order of job-script-parts.ts, as Redis answers with them: what isn't there is null. */
export type RecordFields = readonly [
  ...[state: string, version: number, highest: number, refused: Count, isCancelling: Count, keepMs: number],
  ...[untilAt: number, sentAt: number, dueAt: Count, startedAt: Count, endedAt: Count, name: Text],
  ...[tags: readonly string[] | null, service: string, routingKey: string, queue: Text, handler: Text],
  ...[attempt: Text, progress: Text, result: Text, resultProblem: Text, error: Text, reason: Text],
  ...[deadQueue: Text, run: RunFields | null],
];

type RunFields = readonly [
  ...[name: string, queue: string, handler: Text, attempt: string, host: string, pid: number],
  ...[since: number, startedAt: number],
];

/** A job as Redis has it. */
export function jobOf(id: string, record: RecordFields): StoredJob {
  const [state, version, , , isCancelling, , , sentAt, dueAt, startedAt, endedAt, name, tags, ...others] =
    record;
  const [service, routingKey, queue, handler, attempt, progress, result, resultProblem, ...ends] = others;
  const [error, reason, deadQueue, running] = ends;
  const [, itsQueue, itsHandler, itsAttempt, host, pid, since, firstAt] = running ?? [];
  const isRunning = running !== null;
  return {
    ...{ id, tags: tags ?? [], service, routingKey, version, sentAt },
    name: name ?? undefined,
    state: isRunning ? 'running' : (state as StoredJobState),
    queue: itsQueue ?? queue ?? undefined,
    handler: (isRunning ? itsHandler : handler) ?? undefined,
    attempt: Number(itsAttempt ?? attempt ?? 0),
    dueAt: dueAt ?? undefined,
    startedAt: startedAt ?? firstAt,
    endedAt: endedAt ?? undefined,
    run: host !== undefined && pid !== undefined && since !== undefined ? { host, pid, since } : undefined,
    progress: progress === null ? undefined : progressIn(progress),
    result: result ?? undefined,
    resultProblem: resultProblem ?? undefined,
    error: error ?? undefined,
    reason: reason ?? undefined,
    deadQueue: deadQueue ?? undefined,
    isCancelling: isCancelling !== null && endedAt === null,
  };
}

function progressIn(json: string): StoredJob['progress'] {
  const { percent, note, at } = JSON.parse(json);
  return { percent, note, at };
}
