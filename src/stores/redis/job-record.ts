import type { StoredJob, StoredJobState } from '../jobs.js';

type Text = string | false;
type Count = number | false;

/** Fields of a record in the order of job-script-parts.ts, as FIND has them: what isn't there is false. */
export type RecordFields = readonly [
  ...[state: string, version: number, highest: number, refused: Count, isCancelling: boolean, keepMs: number],
  ...[untilAt: number, sentAt: number, dueAt: Count, startedAt: Count, endedAt: Count, name: Text],
  ...[tags: readonly string[] | false, service: string, routingKey: string, queue: Text, handler: Text],
  ...[attempt: Text, progress: Text, result: Text, resultProblem: Text, error: Text, reason: Text],
  ...[deadQueue: Text, run: RunFields | false],
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
  const [error, reason, deadQueue, run] = ends;
  const [, itsQueue, itsHandler, itsAttempt, host = '', pid = 0, since = 0, firstAt] = run || [];
  return {
    ...{ id, tags: tags || [], service, routingKey, version, sentAt },
    name: name || undefined,
    state: run ? 'running' : (state as StoredJobState),
    queue: itsQueue || queue || undefined,
    handler: (run ? itsHandler : handler) || undefined,
    attempt: Number(itsAttempt || attempt || 0),
    dueAt: momentOf(dueAt),
    startedAt: momentOf(startedAt) ?? firstAt,
    endedAt: momentOf(endedAt),
    run: run ? { host, pid, since } : undefined,
    progress: progress ? progressIn(progress) : undefined,
    result: result || undefined,
    resultProblem: resultProblem || undefined,
    error: error || undefined,
    reason: reason || undefined,
    deadQueue: deadQueue || undefined,
    isCancelling: isCancelling && endedAt === false,
  };
}

const momentOf = (ms: Count): number | undefined => (ms === false ? undefined : ms);

function progressIn(json: string): StoredJob['progress'] {
  const { percent, note, at } = JSON.parse(json);
  return { percent, note, at };
}
