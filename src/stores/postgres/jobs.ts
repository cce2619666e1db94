import { type CancelAnswer, type JobSearch, UNENDED_KEPT_MS } from '../../message/job.js';
import type {
  AddAnswer,
  BeginAnswer,
  JobBegin,
  JobEnd,
  JobPause,
  JobProgressNote,
  JobStore,
  MoveAnswer,
  NewJob,
  ReserveAnswer,
  StoredJob,
} from '../jobs.js';
import { ANSWER_WITHIN_MS, ExpiringTable } from './expiring-table.js';
import { jobStatements } from './jobs-sql.js';
import type { Queries } from './prepared.js';
import { quoted } from './schema.js';

/** A job as statements answer it. */
type Row = { [Name in keyof Omit<StoredJob, 'run' | 'progress'>]: StoredJob[Name] | null } & {
  readonly host: string | null;
  readonly pid: number | null;
  readonly begunAt: number | null;
  readonly percent: number | null;
  readonly note: string | null;
  readonly notedAt: number | null;
};

/** Records of jobs in PostgreSQL: a row each, and one for each name. */
export class PostgresJobs implements JobStore {
  private readonly table: ExpiringTable;
  private readonly names: ExpiringTable;
  private readonly sql: ReturnType<typeof jobStatements>;

  /** @param pool a pool, or a single connection in a command */
  constructor(pool: Queries, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.table = new ExpiringTable(pool, schema, 'jobs', 'until', answerWithinMs);
    this.names = new ExpiringTable(pool, schema, 'job_names', 'until', answerWithinMs);
    this.sql = jobStatements(quoted(schema));
  }

  async add(jobs: readonly NewJob[]): Promise<AddAnswer[]> {
    const answers = new Map<string, AddAnswer>();
    for (let left = [...jobs]; left.length > 0; left = left.filter(({ id }) => !answers.has(id))) {
      const rows = await this.table.rows<{ id: string; holder: string | null; isAdded: boolean }>(
        this.sql.add,
        [JSON.stringify(oneOfEach(left).map(rowOf))],
      );
      for (const { id, holder, isAdded } of rows)
        answers.set(id, holder === null ? (isAdded ? 'added' : 'known') : { holder });
    }
    if (jobs.some(({ name }) => name !== undefined)) this.names.sweepNowAndThen();
    const isFirst = (id: string, place: number) => jobs.findIndex((job) => job.id === id) === place;
    return jobs.map(({ id }, place) => {
      const answer = answers.get(id) as AddAnswer;
      return answer === 'added' && !isFirst(id, place) ? 'known' : answer;
    });
  }

  async remove(id: string): Promise<void> {
    await this.table.rows(this.sql.remove, [id]);
  }

  async begin(begins: readonly JobBegin[]): Promise<BeginAnswer[]> {
    const answers = new Map<string, BeginAnswer>();
    for (let left = [...begins]; left.length > 0; left = left.filter(({ run }) => !answers.has(run))) {
      const rows = await this.table.rows<{ run: string; answer: string }>(this.sql.begin, [
        JSON.stringify(left),
      ]);
      for (const { run, answer } of rows) {
        if (answer !== 'cancelling') answers.set(run, (answer || undefined) as BeginAnswer);
        const begin = left.find((each) => answer === 'cancelling' && each.run === run);
        // Asked again, it is cancelled.
        if (begin) await this.table.rows(this.sql.takeBack, [begin.id, begin.at]);
      }
    }
    return begins.map(({ run }) => answers.get(run));
  }

  async pause(pauses: readonly JobPause[]): Promise<void> {
    const now = Date.now();
    await this.write(
      this.sql.pause,
      pauses.map((pause) => ({ ...pause, now })),
    );
  }

  async progress(notes: readonly JobProgressNote[]): Promise<void> {
    await this.write(this.sql.progress, notes);
  }

  async end(ends: readonly JobEnd[]): Promise<void> {
    await this.write(this.sql.end, ends);
  }

  async cancel(id: string, at: number): Promise<CancelAnswer | undefined> {
    return this.answer<CancelAnswer>(id, this.sql.cancel, [id, at]);
  }

  async reserve(id: string, dueAt: number): Promise<ReserveAnswer | undefined> {
    for (;;) {
      const [row] = await this.table.rows<{ answer: string; version: number; message: string }>(
        this.sql.reserve,
        [id, dueAt, Date.now()],
      );
      if (row?.answer === 'reserved') return { version: row.version, message: row.message };
      if (row) return row.answer as ReserveAnswer;
      if (!(await this.knows(id))) return undefined;
    }
  }

  async move(id: string, version: number, dueAt: number): Promise<MoveAnswer | undefined> {
    return this.answer<MoveAnswer>(id, this.sql.move, [id, version, dueAt, Date.now()]);
  }

  async find(ids: readonly string[]): Promise<(StoredJob | undefined)[]> {
    if (ids.length === 0) return [];
    const rows = await this.table.rows<Row>(this.sql.find, [ids]);
    const jobs = new Map(rows.map((row) => [row.id, jobOf(row)]));
    return ids.map((id) => jobs.get(id));
  }

  async named(name: string): Promise<string | undefined> {
    const [row] = await this.table.rows<{ id: string }>(this.sql.named, [name]);
    return row?.id;
  }

  async list(
    { tag, state, atMost }: JobSearch & { readonly atMost: number },
    now: number,
  ): Promise<StoredJob[]> {
    const stored = state === 'delayed' ? 'waiting' : state;
    const rows = await this.table.rows<Row>(this.sql.list, [tag, stored, state, now, atMost]);
    return rows.map(jobOf);
  }

  async scheduled(atMost: number): Promise<StoredJob[]> {
    return (await this.table.rows<Row>(this.sql.scheduled, [atMost])).map(jobOf);
  }

  private async write(sql: string, list: readonly object[]): Promise<void> {
    if (list.length > 0) await this.table.rows(sql, [JSON.stringify(list)]);
  }

  /** What a statement answers about a job; asked again if others have changed it meanwhile. Undefined for a job that isn't known. */
  private async answer<Answer extends string>(
    id: string,
    sql: string,
    values: readonly unknown[],
  ): Promise<Answer | undefined> {
    for (;;) {
      const [row] = await this.table.rows<{ answer: Answer }>(sql, values);
      if (row) return row.answer;
      if (!(await this.knows(id))) return undefined;
    }
  }

  private async knows(id: string): Promise<boolean> {
    return (await this.find([id]))[0] !== undefined;
  }
}

/** The first of each name: a statement can give a name once. */
function oneOfEach(jobs: readonly NewJob[]): NewJob[] {
  const [ids, names] = [new Set<string>(), new Set<string>()];
  return jobs.filter(({ id, name }) => {
    if (ids.has(id) || (name !== undefined && names.has(name))) return false;
    ids.add(id);
    if (name !== undefined) names.add(name);
    return true;
  });
}

const rowOf = ({ name: title, keepMs: keep, ...job }: NewJob): object => ({
  ...job,
  ...{ title, keep },
  comesUntil: Math.max(job.sentAt, job.dueAt ?? 0) + UNENDED_KEPT_MS,
});

function jobOf({ host, pid, begunAt, percent, note, notedAt, ...row }: Row): StoredJob {
  const known = Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value ?? undefined]),
  ) as Omit<StoredJob, 'run' | 'progress'>;
  return {
    ...known,
    run:
      known.state === 'running' && begunAt !== null
        ? { host: host ?? '', pid: pid ?? 0, since: begunAt }
        : undefined,
    progress: percent === null ? undefined : { percent, note: note ?? undefined, at: notedAt ?? 0 },
  };
}
