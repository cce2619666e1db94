import { randomBytes, randomUUID } from 'node:crypto';
import { OptionsError } from '../../errors.js';
import { KeptDocument } from '../../kept/kept-document.js';
import { toMs } from '../../util/duration.js';
import type { FailureIndex } from '../groups/group.js';
import { checkRequest } from './check-request.js';
import { chosen } from './chosen.js';
import {
  asEnded,
  conflict,
  decodeOperations,
  found,
  isAbandoned,
  isActive,
  type KeptOperation,
  NO_OPERATIONS,
  type OperationsDocument,
  type OperationsKept,
  shown,
  withBegun,
  withChanged,
} from './kept-operations.js';
import type { Operation, OperationRequest, Operations } from './operation.js';
import { Run, type RunParts } from './run.js';
import { Watcher } from './watcher.js';

export interface LiveOperationsOptions extends Omit<RunParts, 'kept' | 'left'> {
  /** Which letters there are, and what is told of those that leave. */
  readonly index: Pick<FailureIndex, 'refresh' | 'letters' | 'state'> & {
    left(deadQueue: string, ids: Iterable<string>): void;
  };
  /** True if operations that their process has left are taken on here. */
  readonly takesOn: boolean;
}

const DEFAULT_RATE = '50/s';
const DEFAULT_REPORT_WITHIN = '90s';

/** Operations that are kept in the broker, of which some run here. See {@link Operations}. */
export class LiveOperations implements Operations {
  private readonly owner = randomUUID();
  private readonly runs = new Map<string, Run>();
  private readonly kept: OperationsKept;
  private readonly watcher: Watcher | undefined;
  private isClosed = false;

  constructor(private readonly options: LiveOperationsOptions) {
    const { session, settings, takesOn } = options;
    const { transport, names, log } = settings;
    this.kept = new KeptDocument<OperationsDocument>({
      ...{ session, clock: transport.clock, queue: names.operations },
      ...{ empty: NO_OPERATIONS, decode: decodeOperations },
    });
    const isOwn = ({ id }: KeptOperation) => this.runs.has(id);
    if (takesOn)
      this.watcher = new Watcher({
        ...{ kept: this.kept, clock: transport.clock, log, isOwn },
        takeOn: (its) => this.takeOn(its),
      });
  }

  async list(): Promise<readonly Operation[]> {
    const { operations } = await this.kept.read();
    const now = this.now();
    return operations
      .map((its) => shown(isActive(its) ? (this.runs.get(its.id)?.now ?? its) : its, now))
      .sort((left, right) => right.startedAt - left.startedAt);
  }

  /** One that runs here, as it is now; undefined if it runs elsewhere, or has ended. */
  running(id: string): Operation | undefined {
    const run = this.runs.get(id);
    return run && shown(run.now, this.now());
  }

  async begin(request: OperationRequest, by: string): Promise<Operation> {
    checkRequest(request, by);
    if (this.isClosed) throw new OptionsError('operation', ['this process is about to end']);
    const { index } = this.options;
    const { kind, selection, to = 'queue', reportWithin = DEFAULT_REPORT_WITHIN } = request;
    if (kind === 'restore' && 'ids' in selection && selection.deadQueue !== this.options.settings.names.trash)
      throw new OptionsError('operation', [
        `expected selection.deadQueue to be '${this.options.settings.names.trash}', the trash, got '${selection.deadQueue}'`,
      ]);
    await index.refresh();
    const startedAt = this.now();
    let letters = chosen(index, selection, startedAt);
    if (letters.length === 0) {
      // They may have been in other hands when the queues were read.
      await index.refresh({ force: true });
      letters = chosen(index, selection, startedAt);
    }
    if (letters.length === 0) await this.refuseNone(index.state.problem);
    const its: KeptOperation = {
      ...{ id: randomBytes(6).toString('hex'), kind, selection, to, by, startedAt, endedAt: undefined },
      deadQueues: [...new Set(letters.map(({ deadQueue }) => deadQueue))],
      rate: request.rate ?? (kind === 'canary' ? DEFAULT_RATE : undefined),
      reportWithinMs: toMs(reportWithin),
      ...{ state: 'running', why: undefined, total: letters.length, done: 0, failed: 0 },
      canary:
        kind === 'canary'
          ? { stage: 'one', handled: 0, cameBack: 0, failedOtherwise: 0, unheard: 0 }
          : undefined,
      ...{ owner: this.owner, beat: 0, beatAt: startedAt },
    };
    await this.kept.change((before) => withBegun(before, its, this.now()));
    return shown(this.run(its, letters).now, this.now());
  }

  async stop(id: string, by: string): Promise<void> {
    const why = `${by} stopped it`;
    this.runs.get(id)?.stop(why);
    await this.kept.change((before) => {
      const its = found(before, id);
      if (its.state !== 'running') return before;
      const now = this.now();
      return withChanged(
        before,
        isAbandoned(its, now) ? asEnded(its, 'stopped', why, now) : { ...its, state: 'stopping', why },
      );
    });
  }

  async ended(id: string): Promise<Operation> {
    const run = this.runs.get(id);
    if (run) return await run.ended;
    const its = found(await this.kept.read(), id);
    if (!isActive(its)) return shown(its, this.now());
    throw new OptionsError('operation', [`operation '${id}' runs in another process, or in none`]);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    // What it takes on may wait for a queue that a run of this process has.
    await this.releaseRuns();
    await this.watcher?.close();
    await this.releaseRuns();
  }

  private async releaseRuns(): Promise<void> {
    const runs = [...this.runs.values()];
    for (const run of runs) run.release();
    await Promise.allSettled(runs.map((run) => run.ended));
  }

  private run(its: KeptOperation, letters: ConstructorParameters<typeof Run>[2]): Run {
    const { options, kept } = this;
    const run = new Run(
      { ...options, kept, left: (queue, ids) => options.index.left(queue, ids) },
      its,
      letters,
    );
    this.runs.set(its.id, run);
    const over = () => {
      if (this.runs.get(its.id) === run) this.runs.delete(its.id);
    };
    run.ended.then(over, over);
    return run;
  }

  /** No letters are found of a queue that another operation has in hand. */
  private async refuseNone(problem: string | undefined): Promise<never> {
    const { operations } = await this.kept.read();
    const other = operations.find(isActive);
    if (other) throw conflict(other, other.deadQueues[0] ?? '', this.now());
    throw new OptionsError('operation', [
      problem === undefined
        ? 'there are no dead letters of this selection any more'
        : `the dead letters of this selection could not be read: ${problem}`,
    ]);
  }

  /** Goes on with an operation that its process has left. */
  private async takeOn(abandoned: KeptOperation): Promise<void> {
    const { index, settings } = this.options;
    const { id, selection, startedAt, kind } = abandoned;
    await index.refresh({ force: true });
    const letters = chosen(index, selection, startedAt, kind === 'canary' ? id : undefined);
    let own: KeptOperation | undefined;
    await this.kept.change((before) => {
      const its = before.operations.find((each) => each.id === id);
      // Another has taken it on, or its process lives.
      if (!its || !isActive(its) || its.owner !== abandoned.owner || its.beat !== abandoned.beat)
        return before;
      const now = this.now();
      if (its.state === 'stopping' || this.isClosed)
        return this.isClosed ? before : withChanged(before, asEnded(its, 'stopped', its.why, now));
      const { total, beat } = its;
      own = {
        ...its,
        ...{ owner: this.owner, beat: beat + 1, beatAt: now },
        ...{ total: Math.max(total, letters.length), done: Math.max(0, total - letters.length), failed: 0 },
      };
      return withChanged(before, own);
    });
    if (!own) return;
    settings.log.info(
      { operation: id, by: own.by },
      'an operation on dead letters that was left is taken on',
    );
    this.run(own, letters);
  }

  private now(): number {
    return this.options.settings.transport.clock.now();
  }
}
