import { BatchError, OptionsError, PublishManyError, type PublishManyFailure } from '../../errors.js';
import type { BatchJob } from '../../message/batch.js';
import type { ChainStep } from '../../message/chain.js';
import type { MessageDefinition } from '../../message/define-message.js';
import { DEFAULT_EXCHANGE } from '../../message/exchange-option.js';
import { followingId } from '../../message/message-id.js';
import type { Published } from '../../message/published.js';
import type { BatchPosition } from '../../message/wire/batch-header.js';
import type { StepMessage } from '../../message/wire/chain-header.js';
import type { UniqueRules } from '../../pipeline/publish-call.js';
import type { PublishWrap } from '../../pipeline/publish-middleware.js';
import type { Encodings } from '../../pipeline/sender.js';
import type { BatchStore, Closed } from '../../stores/batches.js';
import type { Clock } from '../../util/clock.js';
import { deferred } from '../../util/deferred.js';
import { formatMs } from '../../util/duration.js';
import type { StepDraft } from '../chain/composer.js';
import { type Carried, type ChainSender, mustBeSteps, stateOfFirst } from '../chain/sender.js';
import { ruleOfHandler } from '../unique/send-stage.js';
import { type JobDraft, JobPassage } from './job-passage.js';

export interface JobSenderOptions {
  readonly steps: ChainSender;
  /** Publish middleware of the bus; undefined if there is none. */
  readonly wrap?: PublishWrap | undefined;
  readonly clock: Clock;
  /** Maximum time for which publish middleware may let no further job go on. */
  readonly publishDeadlineMs: number;
  /** Uniqueness settings of the bus's handlers; undefined if none of them has any. */
  readonly uniqueHandlers: () => UniqueRules | undefined;
}

/** Parameters of one sending of jobs. */
export interface JobSending {
  readonly id: string;
  /** Key of the n-th window in the store: the same key gives the same job numbers again. */
  readonly keyOf: (window: number) => string;
  readonly carried: Carried;
  /** Number of the job that adds these; undefined in a dispatch. */
  readonly by?: number;
}

/** Number of jobs that are sent by now, and why that is not all of them. */
export interface SentJobs {
  readonly count: number;
  readonly closed?: Closed;
}

/**
 * Maximum number of jobs that are held, and sent at once. Changing it breaks a dispatch that was interrupted
 * and is repeated: a key of the store stands for one window.
 */
const WINDOW = 500;

/** Sends the jobs of batches, in windows, under numbers that the store gives. */
export class JobSender {
  constructor(private readonly options: JobSenderOptions) {}

  /**
   * Sends jobs of a batch that exists. Jobs that have numbers from an earlier try are sent under the same ids, or
   * not at all if they are known to be sent.
   *
   * @throws PublishManyError; BatchError if the batch is not in the store, or was given other jobs before
   */
  async send(
    store: BatchStore,
    jobs: Iterable<BatchJob> | AsyncIterable<BatchJob>,
    sending: JobSending,
  ): Promise<SentJobs> {
    let window = 0;
    let count = 0;
    for await (const some of windowsOf(jobs)) {
      const closed = await this.sendWindow(store, some, sending, window);
      if (closed) return { count, closed };
      window += 1;
      count += some.length;
    }
    return { count };
  }

  private async sendWindow(
    store: BatchStore,
    jobs: readonly BatchJob[],
    sending: JobSending,
    window: number,
  ): Promise<Closed | undefined> {
    const { wrap } = this.options;
    const passages = jobs.map(
      (job) => new JobPassage(job, (each, encodings) => this.draft(each, encodings), wrap),
    );
    try {
      return await this.sendPassages(store, passages, sending, window);
    } catch (error) {
      for (const passage of passages) passage.end(error as Error);
      throw error;
    }
  }

  private async sendPassages(
    store: BatchStore,
    passages: readonly JobPassage[],
    { id, keyOf, carried, by }: JobSending,
    window: number,
  ): Promise<Closed | undefined> {
    const drafts = await this.draftsOf(passages, id);
    const key = keyOf(window);
    const numbers = mustBeKnown(id, await store.reserve(id, key, passages.length, by));
    if (numbers === 'cancelled' || numbers === 'closed') {
      for (const passage of passages) passage.end(noMoreJobs(id, numbers));
      return numbers;
    }
    const { first, count } = numbers;
    if (count !== passages.length)
      throw otherJobs(id, `${count} jobs in this position`, `${passages.length}`);
    for (const [index, passage] of passages.entries()) {
      const number = first + index;
      if (!numbers.unsent.includes(number))
        passage.end({ messageId: jobId({ id, number }), confirmed: true, dueAt: undefined });
    }
    if (numbers.unsent.length === 0) return undefined;
    const failures: PublishManyFailure[] = [];
    const unsent: number[] = [];
    await Promise.all(
      numbers.unsent.map(async (number) => {
        const send = async () => {
          try {
            return await this.sendJob(drafts[number - first] as JobDraft, { id, number }, carried);
          } catch (error) {
            unsent.push(number);
            // Whatever middleware makes of it: the batch is not complete.
            failures.push({ index: number, error: error as Error });
            throw error;
          }
        };
        try {
          await passages[number - first]?.send(send);
        } catch (error) {
          if (!unsent.includes(number)) failures.push({ index: number, error: error as Error });
        }
      }),
    );
    const marking = store.dispatched(id, key, unsent);
    if (failures.length === 0) {
      await marking;
      return undefined;
    }
    await marking.catch(() => {}); // if this fails, a repeated dispatch sends all of them again, and those that have ended are not run
    throw notSent(drafts, first, failures);
  }

  /**
   * The checked jobs of a window. All of them wait in their middleware until the last is checked.
   *
   * @throws BatchError if middleware holds jobs back, such as one that lets only some through at a time
   */
  private async draftsOf(passages: readonly JobPassage[], id: string): Promise<JobDraft[]> {
    const drafting = Promise.all(passages.map(({ draft }) => draft));
    const { wrap, clock, publishDeadlineMs } = this.options;
    if (!wrap) return drafting;
    let passed = 0;
    for (const { draft } of passages) draft.then(() => (passed += 1)).catch(() => {});
    const stalled = deferred<never>();
    const watch = (before: number) =>
      clock.setTimer(() => {
        if (passed === before) stalled.reject(heldBack(id, publishDeadlineMs));
        else timer = watch(passed);
      }, publishDeadlineMs);
    let timer = watch(0);
    try {
      return await Promise.race([drafting, stalled.promise]);
    } finally {
      timer.cancel();
    }
  }

  /**
   * Checks a job, which may be a chain.
   *
   * @throws the errors of {@link StepComposer.draft}; PayloadInvalidError; OptionsError for a unique job
   */
  private async draft(job: BatchJob, encodings?: Encodings): Promise<JobDraft> {
    const { composer } = this.options.steps;
    const isChain = Array.isArray(job);
    if (isChain) mustBeSteps(job);
    const list: readonly ChainStep[] = isChain ? job : [job as ChainStep];
    const steps = list.map((step) => composer.draft(step, encodings?.get(step)));
    const { plain } = steps[0] as StepDraft;
    if (!isChain) this.mustNotBeUnique(plain, list[0]?.definition);
    await Promise.all(steps.flatMap(({ checking, encoded }) => [checking, encoded]));
    return { key: plain.key, isChain, steps };
  }

  /**
   * Refuses a unique job: if its key were taken, the job would never end; if it were sent all the same, it
   * would not be unique.
   */
  private mustNotBeUnique({ key, options }: StepMessage, definition: MessageDefinition | undefined): void {
    const who = definition?.unique
      ? 'its definition'
      : ruleOfHandler(this.options.uniqueHandlers(), options, key, DEFAULT_EXCHANGE) && 'its handler';
    if (!who) return;
    throw new OptionsError('batch', [
      `expected '${key}' not to be unique, as ${who} says, since a job of a batch can't be: say it of single sends, by their option unique, or give the job a key of its own`,
    ]);
  }

  /** @throws KeysUnavailableError; the errors of `send` */
  private async sendJob(
    { isChain, steps }: JobDraft,
    batch: BatchPosition,
    carried: Carried,
  ): Promise<Published> {
    const { steps: sender } = this.options;
    const messageId = jobId(batch);
    const owner = isChain ? { chainId: messageId } : { messageId };
    const [first, ...rest] = await Promise.all(steps.map((draft) => sender.composer.sealed(draft, owner)));
    const sending = { step: first as StepMessage, mustRoute: true, isChecked: true };
    const mark = isChain ? { chain: { ...stateOfFirst(messageId, rest), batch } } : { batch };
    return sender.deliver({ ...sending, ...mark }, messageId, carried);
  }
}

/** Returns the store's answer. @throws BatchError if the store does not have the batch */
export function mustBeKnown<Answer>(id: string, answer: Answer | undefined): Answer {
  if (answer !== undefined) return answer;
  throw new BatchError(
    `the store knows no batch '${id}'`,
    'It is forgotten some time after its last change (see keep), or is kept in another store.',
  );
}

/** Id of the message that the job at this position becomes. */
const jobId = ({ id, number }: BatchPosition): string => followingId(`${id}/${number}`, 'job');

const noMoreJobs = (id: string, closed: Closed) =>
  new BatchError(
    `batch '${id}' takes no more jobs: it ${closed === 'cancelled' ? 'was cancelled' : 'is complete'}`,
    'Dispatch another batch.',
  );

const heldBack = (id: string, forMs: number) =>
  new BatchError(
    `publish middleware has let no further job of batch '${id}' go on for ${formatMs(forMs)}`,
    'Let all jobs call next() at the same time: none of them is sent before all of a window of 500 are checked.',
  );

export const otherJobs = (id: string, before: string, now: string) =>
  new BatchError(
    `batch '${id}' was given ${before} before, and now ${now}`,
    'Whoever dispatches a batch once more, or is run again and adds to one, gives the same jobs in the same order.',
  );

function notSent(
  jobs: readonly JobDraft[],
  first: number,
  failures: readonly PublishManyFailure[],
): PublishManyError {
  const lowest = Math.min(...failures.map(({ index }) => index));
  return new PublishManyError(jobs[lowest - first]?.key ?? '', jobs.length, failures);
}

async function* windowsOf<Each>(all: Iterable<Each> | AsyncIterable<Each>): AsyncGenerator<Each[]> {
  let window: Each[] = [];
  for await (const each of all) {
    window.push(each);
    if (window.length < WINDOW) continue;
    yield window;
    window = [];
  }
  if (window.length > 0) yield window;
}
