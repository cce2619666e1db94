import { plannedAnew } from '../prepared.js';

/** `by` when the caller is not a job. */
const NOBODY = -1;

/** Time after which any change of a batch also sends the notifications that another process decided and has not sent. */
const OVERDUE = `interval '30 seconds'`;

/** Parts of a change's SQL. */
interface Change {
  /** Columns that the change itself sets. */
  readonly sets: string;
  /** Number of ended jobs after the change. */
  readonly ended: string;
  readonly isSealed: string;
  /** Condition under which the change cancels the batch. */
  readonly cancels: string;
  /** Number of the job by which it is. */
  readonly by: string;
}

/**
 * The decisions that follow from a change, made in the statement of the change: the row is locked meanwhile, so
 * what it reads is the result of the previous change. $1 is the batch.
 */
function concluding(table: string, { sets, ended, isSealed, cancels, by }: Change, from = ''): string {
  const ends = `(${isSealed} AND ${ended} = total)`;
  const decides = `(verdict IS NULL AND (${cancels} OR ${ends}))`;
  return `
UPDATE ${table} AS batch SET ${sets},
  cancelled = cancelled OR ${cancels},
  verdict = CASE WHEN ${decides} THEN CASE WHEN ${cancels} THEN 'catch' ELSE 'then' END ELSE verdict END,
  verdict_by = CASE WHEN ${decides} THEN ${by} ELSE verdict_by END,
  verdict_at = CASE WHEN ${decides} THEN clock_timestamp() ELSE verdict_at END,
  finally_by = CASE WHEN finally_at IS NULL AND ${ends} THEN ${by} ELSE finally_by END,
  finally_at = CASE WHEN finally_at IS NULL AND ${ends} THEN clock_timestamp() ELSE finally_at END,
  progress_by = CASE WHEN ${isSealed} AND ${percent(ended)} > progress THEN ${by} ELSE progress_by END,
  progress = CASE WHEN ${isSealed} THEN greatest(progress, ${percent(ended)}) ELSE progress END,
  until = clock_timestamp() + make_interval(secs => keep)
${from} WHERE batch.name = $1 AND until > clock_timestamp()`;
}

const percent = (ended: string) => `coalesce(${ended}::bigint * 100 / nullif(total, 0), 100)::integer`;

const ENDED = 'done + failed + skipped';

/** The notifications under these conditions, in order: SQL of an array. */
const notifications = (verdict: string, end: string) =>
  `array_remove(ARRAY[CASE WHEN ${verdict} THEN verdict END, CASE WHEN ${end} THEN 'finally' END], NULL)`;

const VERDICT_UNSENT = 'verdict IS NOT NULL AND NOT verdict_sent';
const END_UNSENT = 'finally_at IS NOT NULL AND NOT finally_sent';

/** Columns of a BatchChange by nobody, which has all notifications to send. @param isFresh true if this statement has made the change */
const answer = (isFresh: string) => `
  total, done, failed, skipped, progress, ${notifications(VERDICT_UNSENT, END_UNSENT)} AS due,
  coalesce(${isFresh} AND cancelled AND verdict_by = ${NOBODY} AND verdict = 'catch', false) AS "hasCancelled",
  coalesce(${isFresh} AND finally_by = ${NOBODY}, false) AS "hasFinished",
  coalesce(${isFresh} AND progress_by = ${NOBODY}, false) AS "hasProgressed", '{}'::integer[] AS unsent`;

/** Columns of a Settling. */
const SETTLING = `
  total, done, failed, skipped, progress, numbers AS fresh,
  CASE WHEN ${VERDICT_UNSENT} THEN verdict END AS verdict, verdict_by AS "verdictBy", ${END_UNSENT} AS "isEndUnsent",
  finally_by AS "finallyBy", progress_by AS "progressBy", cancelled AND verdict = 'catch' AS "isCaught",
  coalesce(verdict_at < clock_timestamp() - ${OVERDUE}, false) AS "isVerdictOverdue",
  coalesce(finally_at < clock_timestamp() - ${OVERDUE}, false) AS "isEndOverdue"`;

/**
 * Numbers that these jobs have reserved, that are not known to be sent, and have not ended: an array for each. OFFSET has those that have ended
 * looked up one by one, where there is one: else all that have ended might be read.
 */
const unsentBy = (jobs: string, numbers: string) => `
  (
    SELECT json_agg(json_build_array(added.added_by, lost) ORDER BY lost) FROM ${numbers} AS added, unnest(added.unsent) AS lost
    WHERE added.batch = $1 AND added.added_by = ANY($2::integer[]) AND added.unsent <> '{}'
      AND NOT EXISTS (SELECT FROM ${jobs} AS job WHERE job.batch = $1 AND job.number = lost OFFSET 0)
  ) AS unsent`;

/** Wall-clock milliseconds of a column. */
const ms = (column: string) => `floor(extract(epoch FROM ${column}) * 1000)::float8`;

/** Columns of a StoredBatch; null stands for undefined. */
const STORED = `
  name AS id, title AS name, total, done, failed, skipped, progress, initial, allows_failures AS "allowsFailures",
  sealed AS "isSealed", cancelled AS "isCancelled", ${ms('created_at')} AS "createdAt", ${ms('finally_at')} AS "finishedAt",
  verdict, ${notifications(VERDICT_UNSENT, END_UNSENT)} AS unsent`;

/** True if the batch takes no more jobs of job $4, which is null for the dispatch. */
const IS_CLOSED = '(finally_at IS NOT NULL OR ($4::integer IS NULL AND sealed))';

/** @param schema the quoted schema */
export function batchStatements(schema: string) {
  const [table, jobs, numbers] = ['batches', 'batch_jobs', 'batch_numbers'].map(
    (name) => `${schema}.${name}`,
  ) as [string, string, string];
  return {
    /** An expired batch must not be continued with its old numbers. */
    clear: `DELETE FROM ${table} WHERE name = $1 AND until <= clock_timestamp()`,
    /** Returns no row if the batch has expired just now. */
    open: `
INSERT INTO ${table} AS batch (name, title, allows_failures, callbacks, keep, service, until)
VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $5))
ON CONFLICT (name) DO UPDATE SET until = clock_timestamp() + make_interval(secs => batch.keep)
  WHERE batch.until > clock_timestamp()
RETURNING name`,
    /**
     * If two ask for the same key at once, the second violates the key's unique index, and asks again. Returns
     * only nulls if the batch was closed meanwhile.
     */
    reserve: plannedAnew(`
WITH known AS (
  SELECT first, count, unsent FROM ${numbers} WHERE batch = $1 AND key = $2
    AND EXISTS (SELECT FROM ${table} WHERE name = $1 AND until > clock_timestamp())
), grown AS (
  UPDATE ${table} SET total = total + $3, initial = initial + CASE WHEN $4::integer IS NULL THEN $3 ELSE 0 END,
    until = clock_timestamp() + make_interval(secs => keep)
  WHERE name = $1 AND until > clock_timestamp() AND NOT cancelled AND NOT ${IS_CLOSED} AND NOT EXISTS (SELECT FROM known)
  RETURNING total - $3 AS first
), given AS (
  INSERT INTO ${numbers} (batch, key, first, count, added_by, unsent)
  SELECT $1, $2, first, $3, $4, ARRAY(SELECT generate_series(first, first + $3 - 1)) FROM grown
  RETURNING first, count, unsent
)
SELECT first, count, unsent, NULL AS closed FROM known
UNION ALL SELECT first, count, unsent, NULL FROM given
UNION ALL SELECT NULL, NULL, NULL, CASE WHEN cancelled THEN 'cancelled' WHEN ${IS_CLOSED} THEN 'closed' END FROM ${table}
  WHERE name = $1 AND until > clock_timestamp() AND NOT EXISTS (SELECT FROM known) AND NOT EXISTS (SELECT FROM given)`),
    dispatched: plannedAnew(`
UPDATE ${numbers} SET unsent = ARRAY(SELECT unnest(unsent) INTERSECT SELECT unnest($3::integer[]))
WHERE batch = $1 AND key = $2`),
    seal: `
${concluding(table, { sets: 'sealed = true', ended: `(${ENDED})`, isSealed: 'true', cancels: 'false', by: String(NOBODY) })}
RETURNING ${answer('NOT finally_sent')}`,
    /** Of jobs of any batches. */
    begin: plannedAnew(`
SELECT place::integer, CASE job.result WHEN 'failed' THEN 'go' WHEN 'done' THEN 'ended' WHEN 'skipped' THEN 'ended'
  ELSE CASE WHEN cancelled THEN 'skip' ELSE 'go' END END AS answer
FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS given (batch, number, place)
JOIN ${table} AS batch ON batch.name = given.batch AND until > clock_timestamp()
LEFT JOIN ${jobs} AS job ON job.batch = given.batch AND job.number = given.number`),
    /**
     * The ends of jobs of one batch, each of them once. A failed job may become done: its row is `mended` then. What follows from them is by
     * the one that cancels the batch, or else by the last.
     */
    settle: `
WITH marked AS (
  INSERT INTO ${jobs} AS job (batch, number, result)
  SELECT name, given.number, given.result FROM ${table}, unnest($2::integer[], $3::text[]) AS given (number, result)
  WHERE name = $1 AND until > clock_timestamp() AND given.number < total ORDER BY given.number
  ON CONFLICT (batch, number) DO UPDATE SET result = 'done', mended = true
    WHERE job.result = 'failed' AND excluded.result = 'done'
  RETURNING number, job.result, mended
), change AS (
  SELECT count(*) FILTER (WHERE NOT mended)::integer AS fresh, count(*) FILTER (WHERE mended)::integer AS mended,
    count(*) FILTER (WHERE result = 'done')::integer AS to_done,
    count(*) FILTER (WHERE result = 'failed')::integer AS to_failed,
    count(*) FILTER (WHERE result = 'skipped')::integer AS to_skipped,
    coalesce(array_agg(number) FILTER (WHERE NOT mended), '{}') AS numbers,
    min(number) FILTER (WHERE result = 'failed') AS failer,
    max(number) FILTER (WHERE NOT mended) AS last
  FROM marked
)
${concluding(
  table,
  {
    sets: 'done = done + to_done, failed = failed + to_failed - mended, skipped = skipped + to_skipped',
    ended: `(${ENDED} + fresh)`,
    isSealed: 'sealed',
    cancels: '(failer IS NOT NULL AND NOT allows_failures)',
    by: 'CASE WHEN failer IS NOT NULL AND NOT allows_failures THEN failer ELSE last END',
  },
  'FROM change',
)}
RETURNING ${SETTLING}, ${unsentBy(jobs, numbers)}`,
    cancel: `
WITH changed AS (
  ${concluding(table, { sets: 'sealed = sealed', ended: `(${ENDED})`, isSealed: 'sealed', cancels: 'true', by: String(NOBODY) })}
    AND NOT cancelled AND finally_at IS NULL
  RETURNING batch.*
)
SELECT ${answer('true')} FROM changed
UNION ALL
SELECT ${answer('false')} FROM ${table} WHERE name = $1 AND until > clock_timestamp() AND NOT EXISTS (SELECT FROM changed)`,
    sent: `
UPDATE ${table} SET verdict_sent = verdict_sent OR $2 <> 'finally', finally_sent = finally_sent OR $2 = 'finally'
WHERE name = $1`,
    /** In random order: batches that can't be sent must not hide the others. */
    overdue: `
SELECT name FROM ${table}
WHERE service = $1 AND verdict IS NOT NULL AND NOT (verdict_sent AND finally_sent) AND until > clock_timestamp()
  AND (NOT verdict_sent AND verdict_at < clock_timestamp() - ${OVERDUE}
    OR NOT finally_sent AND finally_at < clock_timestamp() - ${OVERDUE})
ORDER BY random() LIMIT $2`,
    notifications: `SELECT callbacks AS notifications FROM ${table} WHERE name = $1 AND until > clock_timestamp()`,
    find: `SELECT ${STORED} FROM ${table} WHERE name = $1 AND until > clock_timestamp()`,
    list: `SELECT ${STORED} FROM ${table} WHERE until > clock_timestamp() ORDER BY created_at DESC LIMIT $1`,
  };
}
