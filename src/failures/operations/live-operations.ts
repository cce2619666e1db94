import { randomBytes, randomUUID } from 'node:crypto';
import { ControlError, OptionsError } from '../../errors.js';
import { toMs } from '../../util/duration.js';
import { reasonText } from '../../util/text/error-text.js';
import type { FailureIndex } from '../groups/group.js';
import { checkQueue, checkRequest } from './check-request.js';
import { chosen } from './chosen.js';
import { keptList } from './kept-list.js';
import {
  asEnded,
  conflict,
  found,
  isAbandoned,
  isActive,
  type KeptOperation,
  type OperationsKept,
  shown,
  withBegun,
  withChanged,
} from './kept-operations.js';
import type { Operation, OperationRequest, Operations } from './operation.js';
import { Run, type RunParts } from './run.js';
import { Signs } from './signs.js';
import { takenOn } from './taking-on.js';
import { Watcher } from './watcher.js';

export interface LiveOperationsOptions extends Omit<RunParts, 'kept' | 'left'> {
  /** Which letters there are, and what is told of those that leave. */
  readonly index: Pick<FailureIndex, 'refresh' | 'letters' | 'copies' | 'state' | 'left'>;
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
  /** Those whose beginning was not confirmed, until it is written that they have ended. */
  private readonly undoing = new Map<string, Promise<void>>();
  private readonly closing = new AbortController();
  private isClosed = false;

  constructor(private readonly options: LiveOperationsOptions) {
    const { session, settings, takesOn } = options;
    const { transport, log } = settings;
    this.kept = keptList(session, settings);
    const isOwn = ({ id }: KeptOperation) => this.runs.has(id) || this.undoing.has(id);
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
    checkQueue(request, this.options.settings);
    if (this.isClosed) throw new OptionsError('operation', ['this process is about to end']);
    const { index } = this.options;
    const { kind, selection, to = 'queue', reportWithin = DEFAULT_REPORT_WITHIN } = request;
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
    try {
      await this.kept.change((before) => withBegun(before, its, this.now()));
    } catch (error) {
      // Who asked is told that it has not begun: nobody is to go on with it, if it was written after all.
      if (error instanceof ControlError) this.undo(its, error);
      throw error;
    }
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
    this.closing.abort();
    // What it takes on may wait for a queue that a run of this process has.
    await this.releaseRuns();
    await this.watcher?.close();
    await this.releaseRuns();
  }

  private async releaseRuns(): Promise<void> {
    const runs = [...this.runs.values()];
    for (const run of runs) run.release();
    await Promise.allSettled([...runs.map((run) => run.ended), ...this.undoing.values()]);
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

  private undo(its: KeptOperation, cause: ControlError): void {
    const { kept, options, closing } = this;
    const { transport, log } = options.settings;
    const why = `its beginning was not confirmed: ${reasonText(cause)}`;
    const signs = new Signs({
      ...{ kept, clock: transport.clock, log, id: its.id, owner: its.owner },
      now: () => its,
      endAs: () => {},
    });
    const undone = signs
      .end({ state: 'failed', why }, closing.signal)
      .then(
        () => {},
        () => {},
      )
      .finally(() => this.undoing.delete(its.id));
    this.undoing.set(its.id, undone);
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

  /** Goes on with an operation that its process has left. False if that can't be yet. */
  private async takeOn(abandoned: KeptOperation): Promise<boolean> {
    const { kept, owner, options } = this;
    const { index, session, settings } = options;
    const taken = await takenOn(abandoned, {
      ...{ session, index, kept, owner },
      now: () => this.now(),
      isClosed: () => this.isClosed,
    });
    if (typeof taken !== 'object') return taken !== 'later';
    const { its, letters } = taken;
    settings.log.info(
      { operation: its.id, by: its.by },
      'an operation on dead letters that was left is taken on',
    );
    this.run(its, letters);
    return true;
  }

  private now(): number {
    return this.options.settings.transport.clock.now();
  }
}
