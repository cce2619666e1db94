import { BatchError } from '../../errors.js';
import type { BatchJob } from '../../message/batch.js';
import type { ChainStep } from '../../message/chain.js';
import type { Published } from '../../message/published.js';
import { wrapSteps } from '../../pipeline/middleware-sender.js';
import type { PublishWrap } from '../../pipeline/publish-middleware.js';
import type { Encodings } from '../../pipeline/sender.js';
import { deferred } from '../../util/deferred.js';
import type { StepDraft } from '../chain/composer.js';

/** A checked job. It gets its number, and with it its id, when it is sent. */
export interface JobDraft {
  /** Routing key of the job, or of the first step if the job is a chain. */
  readonly key: string;
  readonly isChain: boolean;
  readonly steps: readonly StepDraft[];
}

/**
 * A job on its way through the publish middleware of its bus. The middleware waits in `next()` from the check of the job until the job is
 * sent.
 */
export class JobPassage {
  /** The checked job. Rejects with the errors of its check, and of middleware that does not let it pass. */
  readonly draft: Promise<JobDraft>;
  private readonly sent = deferred<Published>();
  /** Result of the outermost middleware; undefined without any. */
  private readonly result: Promise<Published> | undefined;

  /** @param check checks a job */
  constructor(
    job: BatchJob,
    check: (job: BatchJob, encodings?: Encodings) => Promise<JobDraft>,
    wrap: PublishWrap | undefined,
  ) {
    if (!wrap) {
      this.draft = check(job);
      return;
    }
    const drafted = deferred<JobDraft>();
    let checking: Promise<JobDraft> | undefined;
    const own = (Array.isArray(job) ? job : [job]) as readonly ChainStep[];
    this.result = wrapSteps(wrap, own, async (changed, encodings) => {
      const checked = Array.isArray(job) ? changed : changed[0];
      checking = check(checked as BatchJob, encodings);
      drafted.resolve(await checking);
      return this.sent.promise;
    });
    // None of it changes anything once the job is drafted. Middleware may end without waiting for `next()`.
    this.result.then(() => checking ?? Promise.reject(notPassed())).catch(drafted.reject);
    this.draft = drafted.promise;
  }

  /** Sends the job; resolves when its middleware has ended. @throws the error of the middleware, or of `send` */
  async send(send: () => Promise<Published>): Promise<unknown> {
    if (!this.result) return send();
    send().then(this.sent.resolve, this.sent.reject);
    return this.result;
  }

  /** Ends the middleware of a job that is not sent, or was sent before. */
  end(published: Published | Error): void {
    if (published instanceof Error) this.sent.reject(published);
    else this.sent.resolve(published);
    // Nobody waits for the job any more, nor for its middleware.
    this.sent.promise.catch(() => {});
    this.result?.catch(() => {});
  }
}

const notPassed = () =>
  new BatchError(
    'a publish middleware did not call next() for a job of a batch, so the job can never end',
    'Leave the job out of the batch, or let the middleware throw what is wrong with it.',
  );
