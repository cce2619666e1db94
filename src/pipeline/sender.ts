import { Chain, type ChainOptions, type ChainPlan, type ChainStep } from '../message/chain.js';
import type { MessageDefinition } from '../message/define-message.js';
import { newMessageId } from '../message/message-id.js';
import type {
  LeavingIntent,
  PublishIntent,
  PublishManyOptions,
  PublishOptions,
} from '../message/publish-options.js';
import type { Published, PublishedMany } from '../message/published.js';
import type { Sender } from '../message/publisher.js';
import type { Beside, BodyEncoding } from './publish-call.js';
import { checkChainOptions } from './publish-checks.js';

/** What publish middleware does to the bodies of steps, by step. */
export type Encodings = ReadonlyMap<ChainStep, BodyEncoding | undefined>;

/** Publishes one of many payloads, with what middleware has changed. */
export type PublishOne = (
  payload: unknown,
  options: PublishManyOptions,
  encoding: BodyEncoding | undefined,
) => Promise<Published>;

/** Takes each of many payloads through the publish middleware. */
export type WrapEach = (payload: unknown, publish: PublishOne) => Promise<Published>;

/**
 * Maximum time in milliseconds that payloads of a call of many are held for the next one, whose middleware has not let it go
 * on yet: it may be waiting for their end.
 */
export const HELD_AT_MOST_MS = 100;

/** A sender by which requests leave, too. */
export interface LeavingSender extends Sender {
  /** A request's promise is settled by its end. */
  dispatch(
    intent: LeavingIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions | undefined,
  ): Promise<Published>;
}

/** A sender without publish middleware, and with what that needs to come before it. */
export interface DirectSender extends LeavingSender {
  /** Checks the options of a call. @throws as a publish with them */
  check(options: PublishOptions): void;
  dispatch(
    intent: LeavingIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions | undefined,
    beside?: Beside,
  ): Promise<Published>;
  dispatchMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options: PublishManyOptions | undefined,
    wrap?: WrapEach,
  ): Promise<PublishedMany>;
  /** Checks all steps of a chain, and sends the first with the others. */
  startChain(plan: ChainPlan, encodings?: Encodings): Promise<Published>;
}

/** A chain that begins with `start`. @throws OptionsError */
export function chainOf(
  steps: readonly ChainStep[],
  options: ChainOptions,
  start: (plan: ChainPlan) => Promise<Published>,
): Chain {
  checkChainOptions(options);
  return new Chain(options.id ?? newMessageId(), steps, start);
}
