import {
  AttemptOverError,
  PublishManyError,
  type PublishManyFailure,
  PublishNotKeptError,
} from '../../errors.js';
import type { Chain, ChainOptions, ChainPlan, ChainStep, CheckedStep } from '../../message/chain.js';
import { isMessageDefinition, type MessageDefinition } from '../../message/define-message.js';
import type { PublishIntent, PublishManyOptions, PublishOptions } from '../../message/publish-options.js';
import { type Published, type PublishedMany, publishedLater } from '../../message/published.js';
import type { Sender } from '../../message/publisher.js';
import { type Draft, type Drafting, receiptOf } from '../../pipeline/draft.js';
import { type Beside, routingKeyOf } from '../../pipeline/publish-call.js';
import {
  checkPublishManyOptions,
  checkPublishOptions,
  mustBeIterable,
  withoutPack,
} from '../../pipeline/publish-checks.js';
import {
  chainOf,
  type DirectSender,
  type Encodings,
  type PublishOne,
  type WrapEach,
} from '../../pipeline/sender.js';
import { after } from '../../util/after.js';
import { isPlainObject } from '../../util/check.js';
import { deferred } from '../../util/deferred.js';
import { joined } from '../../util/text/joined.js';
import type { ChainSender } from '../chain/sender.js';
import type { KeptMessage } from './departure.js';
import type { AttemptScope } from './scope.js';

/** How the messages of a handler are checked now and published later. */
export interface KeepingWay {
  readonly scope: AttemptScope;
  readonly drafts: Drafting;
  readonly steps: Pick<ChainSender, 'draft'>;
  /** The sender behind the tracer and the publish middleware of the bus and the handler. */
  through(direct: DirectSender): Sender;
  /** The same without the handler's middleware, which an injected publisher does not pass. */
  throughBus(direct: DirectSender): Sender;
}

/** Keeps the messages of an attempt. */
export interface Keep {
  /**
   * Begins a call, which has the next number, and waits for its end.
   *
   * @throws AttemptOverError
   */
  call<Result>(publish: (sender: KeepingSender) => Promise<Result>): Promise<Result>;
  /** Begins a call, without waiting for its end. @throws AttemptOverError */
  next(): KeepingSender;
  /** What is under way is waited for, as a call is. */
  underWayUntil<Result>(result: Promise<Result>): Promise<Result>;
  /** Id of the message of a call. @param place where it goes, see {@link placeOf}. @param index of those of a call of many */
  idOf(ordinal: number, place: string, index?: number): string;
  /** @throws AttemptOverError, PublishNotKeptError */
  add(message: KeptMessage): void;
  /** Forgets the messages of a call. */
  takeBack(ordinal: number): void;
}

/** The sender of an attempt: numbers its calls, before any middleware of them can wait. */
export class CallsSender implements Sender {
  constructor(
    private readonly kept: Keep,
    private readonly through: (direct: DirectSender) => Sender,
  ) {}

  dispatch(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions = {},
  ): Promise<Published> {
    return this.kept.call((sender) =>
      this.through(sender).dispatch(
        intent,
        target,
        payload,
        withId(options, 'messageId', () => sender.idFor(placeOf(target, options))),
      ),
    );
  }

  dispatchMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options?: PublishManyOptions,
  ): Promise<PublishedMany> {
    return this.kept.call((sender) => this.through(sender).dispatchMany(intent, target, payloads, options));
  }

  chain(steps: readonly ChainStep[], options: ChainOptions = {}): Chain {
    const sender = this.kept.next();
    const own = withId(options, 'id', () => sender.idFor(placesOf(steps)));
    return chainOf(steps, own, ({ onFailure }) => {
      const chain = this.through(sender).chain(steps, own);
      // Its type was checked when the caller gave it.
      if (onFailure) chain.onFailure(onFailure as ChainStep & CheckedStep<ChainStep>);
      return this.kept.underWayUntil(chain.dispatch());
    });
  }
}

/** The options with the id of the call, unless they have one. What is no object is refused as it is. */
function withId<Options extends object, Name extends string & keyof Options>(
  options: Options,
  name: Name,
  newId: () => string,
): Options {
  if (!isPlainObject(options) || options[name] !== undefined) return options;
  return { ...options, [name]: newId() };
}

/**
 * Exchange and routing key of a call, as it says them: an attempt that publishes something else in the place of an earlier one's
 * message must not give it the earlier one's id. What is no target is refused later.
 */
function placeOf(target: unknown, { key, exchange }: Pick<PublishOptions, 'key' | 'exchange'>): string {
  const own = isMessageDefinition(target) ? target.key : target;
  return joined(textOf(isPlainObject(exchange) ? exchange.name : exchange), textOf(key ?? own));
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The same of all steps of a chain: the first one's id stands for all of them. */
const placesOf = (steps: readonly ChainStep[]): string =>
  Array.isArray(steps)
    ? joined(...steps.map((step: ChainStep) => placeOf(step?.definition ?? step?.key, step ?? {})), '')
    : '';

/**
 * The direct sender of one call in an attempt: checks, validates, serializes and encrypts now, and keeps the message. Not async
 * where nothing has to be waited for, so that a call that the handler doesn't await is kept before it returns.
 */
export class KeepingSender implements DirectSender {
  /** True once the message of a call of one is kept: nothing of the call is left to wait for. */
  hasKept = false;

  constructor(
    private readonly kept: Keep,
    private readonly ordinal: number,
    private readonly way: Pick<KeepingWay, 'drafts' | 'steps'>,
  ) {}

  /** Id of the message of this call, if it is one. @param place see {@link placeOf} */
  idFor(place: string): string {
    return this.kept.idOf(this.ordinal, place);
  }

  check(options: PublishOptions): void {
    checkPublishOptions(options);
  }

  dispatch(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions = {},
    beside: Beside = {},
  ): Promise<Published> {
    try {
      checkPublishOptions(options);
      const whole =
        options.messageId === undefined
          ? { ...options, messageId: this.idFor(placeOf(target, options)) }
          : options;
      const draft = this.way.drafts.draft(intent, target, payload, whole, beside);
      return Promise.resolve(after(draft, (its) => this.keepOne(its)));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @throws PublishNotKeptError, AttemptOverError, or the error of the source: nothing of the call is kept then */
  async dispatchMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options: PublishManyOptions = {},
    wrap?: WrapEach,
  ): Promise<PublishedMany> {
    checkPublishManyOptions(options);
    mustBeIterable(payloads);
    const failures: PublishManyFailure[] = [];
    const place = placeOf(target, options);
    const keepOne = async (index: number, ...[payload, own = options, encoding]: Parameters<PublishOne>) => {
      if (own !== options) checkPublishManyOptions(own);
      const whole = { ...withoutPack(own), messageId: this.kept.idOf(this.ordinal, place, index) };
      return this.keep(await this.way.drafts.draft(intent, target, payload, whole, { encoding }));
    };
    const ended: Promise<void>[] = [];
    let count = 0;
    try {
      for await (const payload of payloads) {
        const index = count;
        count += 1;
        const failed = (error: Error) => void failures.push({ index, error });
        if (wrap) await taken(wrap, payload, (...given) => keepOne(index, ...given), failed, ended);
        else await keepOne(index, payload, options, undefined).catch(failed);
        mustGoOn(failures);
      }
      await Promise.all(ended);
      mustGoOn(failures);
    } catch (error) {
      this.kept.takeBack(this.ordinal);
      throw error;
    }
    if (failures.length > 0) throw new PublishManyError(routingKeyOf(target, options), count, failures);
    return { count, confirmed: false };
  }

  chain(steps: readonly ChainStep[], options: ChainOptions = {}): Chain {
    return chainOf(steps, options, (plan) => this.startChain(plan));
  }

  async startChain(plan: ChainPlan, encodings?: Encodings): Promise<Published> {
    const { step, chain, leave } = await this.way.steps.draft(plan, encodings);
    const all = [step, ...chain.rest, ...(chain.onFailure ? [chain.onFailure] : [])];
    this.kept.add({
      ordinal: this.ordinal,
      messageId: plan.id,
      routingKey: step.key,
      bytes: all.reduce((sum, { body }) => sum + body.length, 0),
      leave,
    });
    return publishedLater(plan.id, step.options.at);
  }

  private keepOne(draft: Draft): Published {
    const receipt = this.keep(draft);
    this.hasKept = true;
    return receipt;
  }

  private keep(draft: Draft): Published {
    const { call, body } = draft;
    const { ordinal, way } = this;
    const { routingKey, options } = call;
    const messageId = options.messageId as string;
    const leave = () => way.drafts.leave(draft);
    this.kept.add({ ordinal, messageId, routingKey, bytes: body.length, leave });
    return receiptOf(draft, publishedLater(messageId, options.at));
  }
}

/** Resolves once the middleware has let the payload go on, or has ended without that. */
async function taken(
  wrap: WrapEach,
  payload: unknown,
  publish: PublishOne,
  failed: (error: Error) => void,
  ended: Promise<void>[],
): Promise<void> {
  const goesOn = deferred();
  const wrapped = wrap(payload, async (...given) => {
    const published = await publish(...given);
    goesOn.resolve();
    return published;
  });
  ended.push(wrapped.then(() => {}, failed).then(() => goesOn.resolve()));
  await goesOn.promise;
}

/** Ends a call of many none of whose next payloads could be kept. */
function mustGoOn(failures: readonly PublishManyFailure[]): void {
  const error = failures.at(-1)?.error;
  if (error instanceof PublishNotKeptError || error instanceof AttemptOverError) throw error;
}
