import { UNENDED_KEPT_MS } from '../../message/job.js';
import { allPlannedAnew } from './prepared.js';

const NOW = 'clock_timestamp()';
const after = (ms: string): string => `${NOW} + make_interval(secs => (${ms}) / 1000.0)`;

/** Rows of a list, which is given as JSON. */
const given = (columns: string): string =>
  `given AS (SELECT * FROM json_to_recordset($1) AS row(${columns}))`;

const COLUMNS = `name AS id, title AS name, tags, state, service, routing_key AS "routingKey", queue, handler, attempt, version,
  sent_at AS "sentAt", due_at AS "dueAt", started_at AS "startedAt", ended_at AS "endedAt", host, pid, begun_at AS "begunAt",
  percent, note, noted_at AS "notedAt", result, result_problem AS "resultProblem", error, reason, dead_queue AS "deadQueue",
  cancelling AND ended_at IS NULL AS "isCancelling"`;

/** Columns of a new row, in the order in which {@link jobStatements} selects them. */
const NEW = `name, title, tags, service, routing_key, message, sent_at, due_at, keep, comes_until, until`;
const UNTOUCHED = `state = 'waiting', version = 1, reserved = 1, refused = 0, queue = NULL, handler = NULL, attempt = 0, run = NULL, host = NULL,
  pid = NULL, begun_at = NULL, started_at = NULL, ended_at = NULL, cancelling = false, percent = NULL, note = NULL, noted_at = NULL,
  result = NULL, result_problem = NULL, error = NULL, reason = NULL, dead_queue = NULL`;
const RENEWED = NEW.split(', ')
  .map((column) => `${column} = excluded.${column}`)
  .join(', ');

const IS_OVER = "(job.ended_at IS NOT NULL AND job.state <> 'dead-lettered')";

/** True for the sending that counts, and for a newer one that may take its place. */
const COUNTS = `(job.version = given.version
    OR job.version < given.version AND job.refused < given.version AND job.state = 'waiting')`;

/** Moment until which a message may come that is due at another, and the expiry of its record. */
const comesUntil = (dueAt: string): string => `greatest(job.comes_until, ${dueAt} + ${UNENDED_KEPT_MS})`;
const awaited = (dueAt: string, now: string): string =>
  `greatest(job.until, ${after(`${dueAt} - ${now} + ${UNENDED_KEPT_MS}`)})`;

/** Keeps the names of jobs that go on as long as their records, in `from`. */
const kept = (names: string, from: string): string => `kept AS (
  UPDATE ${names} AS names SET is_taken = is_taken OR ${from}.ended_at IS NULL, until = greatest(names.until, ${from}.until)
  FROM ${from} WHERE names.name = ${from}.title AND names.job = ${from}.name RETURNING names.name
)`;

/** Frees the names of jobs that `from`, a part of the statement with their new rows, has ended. */
const freed = (names: string, from: string): string => `freed AS (
  UPDATE ${names} AS names SET is_taken = false, until = greatest(names.until, ${from}.until)
  FROM ${from} WHERE names.name = ${from}.title AND names.job = ${from}.name RETURNING names.name
)`;

/** Time for which a job is kept that ends at a moment. */
const keptFrom = (at: string): string => `greatest(job.keep, job.comes_until - ${at})`;

/** Statements on the records of jobs. Those with lists answer a row for each job of which they know the answer, and none if others changed it meanwhile. */
export function jobStatements(schema: string) {
  const jobs = `${schema}.jobs`;
  const names = `${schema}.job_names`;
  const IS_THERE = `job.until > ${NOW}`;
  return allPlannedAnew({
    add: `
WITH ${given('id text, title text, tags text[], service text, "routingKey" text, message text, "sentAt" float8, "dueAt" float8, keep float8, "comesUntil" float8')},
fresh AS (
  SELECT *, ${after('"comesUntil" - "sentAt"')} AS until FROM given
  WHERE NOT EXISTS (SELECT FROM ${jobs} AS job WHERE job.name = given.id AND ${IS_THERE})
),
claimed AS (
  INSERT INTO ${names} AS names (name, job, is_taken, until) SELECT title, id, true, until FROM fresh WHERE title IS NOT NULL
  ON CONFLICT (name) DO UPDATE SET job = excluded.job, is_taken = true, until = excluded.until
    WHERE NOT names.is_taken OR names.until <= ${NOW}
  RETURNING names.name
),
added AS (
  INSERT INTO ${jobs} AS job (${NEW})
  SELECT id, title, tags, service, "routingKey", message, "sentAt", "dueAt", keep, "comesUntil", until FROM fresh
  WHERE title IS NULL OR title IN (SELECT name FROM claimed)
  ON CONFLICT (name) DO UPDATE SET ${RENEWED}, ${UNTOUCHED} WHERE job.until <= ${NOW}
  RETURNING job.name
)
SELECT given.id, NULL AS holder, id IN (SELECT name FROM added) AS "isAdded" FROM given
WHERE title IS NULL OR id NOT IN (SELECT id FROM fresh) OR title IN (SELECT name FROM claimed)
UNION ALL
SELECT given.id, names.job AS holder, false FROM given JOIN ${names} AS names ON names.name = given.title
WHERE id IN (SELECT id FROM fresh) AND title NOT IN (SELECT name FROM claimed) AND names.is_taken AND names.until > ${NOW}`,
    remove: `
WITH removed AS (
  DELETE FROM ${jobs} WHERE name = $1 AND attempt = 0 AND ended_at IS NULL RETURNING name, title
)
DELETE FROM ${names} AS names USING removed WHERE names.name = removed.title AND names.job = removed.name`,
    begin: `
WITH ${given('id text, version integer, queue text, handler text, attempt float8, run text, host text, pid integer, at float8')},
gone AS (
  UPDATE ${jobs} AS job SET state = 'running', queue = given.queue, handler = given.handler, attempt = given.attempt,
    run = given.run, host = given.host, pid = given.pid, begun_at = given.at,
    started_at = coalesce(job.started_at, given.at), ended_at = NULL, reason = NULL, dead_queue = NULL,
    version = given.version, reserved = greatest(job.reserved, given.version),
    comes_until = ${comesUntil('given.at')}, until = ${awaited('given.at', 'given.at')}
  FROM given WHERE job.name = given.id AND ${IS_THERE} AND NOT ${IS_OVER} AND ${COUNTS} AND NOT job.cancelling
  RETURNING job.run, job.name, job.title, job.ended_at, job.until
), ${kept(names, 'gone')}
SELECT given.run, answer FROM given LEFT JOIN ${jobs} AS job ON job.name = given.id AND ${IS_THERE},
LATERAL (SELECT CASE
  WHEN given.run IN (SELECT run FROM gone) THEN 'go'
  WHEN job.name IS NULL THEN ''
  WHEN job.version > given.version THEN 'superseded'
  WHEN job.state = 'cancelled' THEN 'cancelled'
  WHEN ${IS_OVER} THEN CASE WHEN job.queue = given.queue THEN 'ended' ELSE 'go' END
  WHEN NOT ${COUNTS} THEN 'superseded'
  WHEN job.cancelling THEN 'cancelling'
END AS answer) AS answered WHERE answer IS NOT NULL`,
    takeBack: `
WITH taken AS (
  UPDATE ${jobs} AS job SET state = 'cancelled', ended_at = $2, cancelling = false, message = NULL, until = ${after(keptFrom('$2'))}
  WHERE name = $1 AND ended_at IS NULL AND cancelling RETURNING job.name, job.title, job.until
), ${freed(names, 'taken')}
SELECT name FROM taken`,
    pause: `
WITH ${given('id text, run text, "dueAt" float8, error text, now float8')},
paused AS (
UPDATE ${jobs} AS job SET state = 'waiting', due_at = given."dueAt", error = coalesce(given.error, job.error),
  comes_until = ${comesUntil('given."dueAt"')}, until = ${awaited('given."dueAt"', 'given.now')}
FROM given WHERE job.name = given.id AND job.state = 'running' AND job.run = given.run
RETURNING job.name, job.title, job.ended_at, job.until
), ${kept(names, 'paused')}
SELECT name FROM paused`,
    progress: `
WITH ${given('id text, run text, percent float8, note text, at float8')}
UPDATE ${jobs} AS job SET percent = given.percent, note = given.note, noted_at = given.at
FROM given WHERE job.name = given.id AND job.state = 'running' AND job.run = given.run`,
    end: `
WITH ${given('id text, version integer, state text, queue text, handler text, attempt float8, at float8, result text, "resultProblem" text, error text, reason text, "deadQueue" text')},
ended AS (
  UPDATE ${jobs} AS job SET state = given.state, queue = given.queue, handler = given.handler, attempt = given.attempt,
    version = given.version, reserved = greatest(job.reserved, given.version),
    message = CASE given.state WHEN 'dead-lettered' THEN job.message END,
    ended_at = given.at, cancelling = false, result = given.result, result_problem = given."resultProblem",
    error = coalesce(given.error, job.error), reason = given.reason, dead_queue = given."deadQueue",
    until = ${after(`CASE WHEN greatest(job.reserved, given.version) > 1 THEN ${keptFrom('given.at')} ELSE job.keep END`)}
  FROM given WHERE job.name = given.id AND NOT ${IS_OVER} AND ${COUNTS} RETURNING job.name, job.title, job.until
)
UPDATE ${names} AS names SET is_taken = false, until = greatest(names.until, ended.until)
FROM ended WHERE names.name = ended.title AND names.job = ended.name`,
    cancel: `
WITH cancelled AS (
  UPDATE ${jobs} AS job SET
    state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE state END,
    ended_at = CASE state WHEN 'waiting' THEN $2::float8 END,
    cancelling = state = 'running',
    message = CASE state WHEN 'waiting' THEN NULL ELSE message END,
    until = CASE state WHEN 'waiting' THEN ${after(keptFrom('$2::float8'))} ELSE job.until END
  WHERE name = $1 AND ended_at IS NULL AND ${IS_THERE} RETURNING job.name, job.title, job.state, job.until
), ended AS (SELECT * FROM cancelled WHERE state = 'cancelled'), ${freed(names, 'ended')}
SELECT state AS answer FROM cancelled
UNION ALL
SELECT CASE state WHEN 'cancelled' THEN state ELSE 'ended' END FROM ${jobs} AS job
WHERE name = $1 AND ended_at IS NOT NULL AND ${IS_THERE} AND NOT EXISTS (SELECT FROM cancelled)`,
    reserve: `
WITH reserved AS (
  UPDATE ${jobs} AS job SET reserved = reserved + 1,
    comes_until = ${comesUntil('$2::float8')}, until = ${awaited('$2::float8', '$3::float8')}
  WHERE name = $1 AND ended_at IS NULL AND state = 'waiting' AND message IS NOT NULL AND ${IS_THERE}
  RETURNING name, title, ended_at, until, reserved, message
), ${kept(names, 'reserved')}
SELECT 'reserved' AS answer, reserved AS version, message FROM reserved
UNION ALL
SELECT CASE WHEN ended_at IS NOT NULL THEN 'ended' WHEN state = 'running' THEN 'running' ELSE 'no-message' END, NULL, NULL
FROM ${jobs} AS job WHERE name = $1 AND ${IS_THERE} AND NOT EXISTS (SELECT FROM reserved)
  AND NOT (ended_at IS NULL AND state = 'waiting' AND message IS NOT NULL)`,
    move: `
WITH moved AS (
  UPDATE ${jobs} AS job SET
    version = CASE WHEN state = 'waiting' AND refused < $2 THEN greatest(version, $2::integer) ELSE version END,
    due_at = CASE WHEN state = 'waiting' AND (version = $2 OR version < $2 AND refused < $2) THEN $3::float8 ELSE due_at END,
    refused = CASE WHEN state <> 'waiting' AND version < $2 THEN greatest(refused, $2) ELSE refused END,
    comes_until = ${comesUntil('$3::float8')}, until = ${awaited('$3::float8', '$4::float8')}
  WHERE name = $1 AND ${IS_THERE} RETURNING name, title, state, version, ended_at, until
), ${kept(names, 'moved')}
SELECT CASE WHEN version > $2 THEN 'superseded' WHEN version = $2 THEN 'moved' WHEN state = 'waiting' THEN 'superseded'
  WHEN ended_at IS NOT NULL THEN 'ended' ELSE 'running' END AS answer FROM moved`,
    find: `SELECT ${COLUMNS} FROM ${jobs} AS job WHERE name = ANY($1) AND ${IS_THERE}`,
    named: `
SELECT names.job AS id FROM ${names} AS names JOIN ${jobs} AS job ON job.name = names.job
WHERE names.name = $1 AND ${IS_THERE}`,
    list: `
SELECT ${COLUMNS} FROM ${jobs} AS job
WHERE ${IS_THERE} AND ($1::text IS NULL OR tags <> '{}' AND tags @> ARRAY[$1])
  AND ($2::text IS NULL OR state = $2 AND CASE $3::text WHEN 'delayed' THEN due_at > $4::float8
    WHEN 'waiting' THEN coalesce(due_at, 0) <= $4 ELSE true END)
ORDER BY sent_at DESC LIMIT $5`,
    scheduled: `
SELECT ${COLUMNS.replace('name AS id, title AS name', 'job.name AS id, title AS name')}
FROM ${names} AS names JOIN ${jobs} AS job ON job.name = names.job
WHERE names.is_taken AND ${IS_THERE} AND ended_at IS NULL ORDER BY coalesce(due_at, sent_at) LIMIT $1`,
  });
}
