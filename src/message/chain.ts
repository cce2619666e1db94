import type { IsPattern, MessageDefinition } from './define-message.js';
import type { Published } from './published.js';
import type { PublishOptions } from './publisher.js';

/*
 * A chain: messages that are handled one after the other. The rest of it travels with the message that is its current
 * step, so nothing keeps it but the broker. When a step is done, the next one is sent, confirmed, before it is acked.
 */

/**
 * One step of a chain: a message, and how it is sent. Its delay counts from the end of the step before it. It is sent
 * by whoever handles that one, so what belongs to a connection or a call can't be said of it.
 */
export interface ChainStep extends Omit<PublishOptions, 'messageId' | 'deadline' | 'userId' | 'unique'> {
  /** Types and validates the payload, and has the routing key. Without one, `key` says which message it is. */
  definition?: MessageDefinition;
  /** Serialized, and encrypted, when the chain is dispatched, or when a handler adds the step. */
  payload: unknown;
}

/**
 * What a step must have: the payload of its definition, and a concrete key where nothing else says it. Of a union, one for
 * each of its members, tied to that member's definition.
 */
export type CheckedStep<Step> = Step extends {
  readonly definition: MessageDefinition<infer Key, infer Input, infer Output>;
}
  ? ChainStep & {
      readonly definition: MessageDefinition<Key, Input, Output>;
      readonly payload: Input;
    } & (IsPattern<Key> extends true ? { readonly key: string } : unknown) &
      NothingElse<Step>
  : ChainStep & { readonly key: string; readonly definition?: undefined } & NothingElse<Step>;

type NothingElse<Step> = { readonly [Unknown in Exclude<keyof Step, keyof ChainStep>]: never };

/** Steps that are checked one by one. */
export type CheckedSteps<Step extends ChainStep> = readonly (Step & CheckedStep<Step>)[];

/** Options of a chain as a whole. */
export interface ChainOptions {
  /**
   * The chain's id, which is the messageId of its first step; those of all others follow from it. Give your own to
   * dispatch the same chain once more, as a handler does that is run again. @default a new UUIDv7
   */
  id?: string;
}

/** What is dispatched. */
export interface ChainPlan {
  readonly id: string;
  readonly steps: readonly ChainStep[];
  readonly onFailure: ChainStep | undefined;
}

/** A chain before it is dispatched. */
export class Chain {
  private failureStep: ChainStep | undefined;

  /** @internal */
  constructor(
    /** The messageId of its first step. */
    readonly id: string,
    private readonly steps: readonly ChainStep[],
    private readonly send: (plan: ChainPlan) => Promise<Published>,
  ) {}

  /**
   * What is sent when a step is given up, before its dead letter: the rest of the chain then does not run. What went wrong
   * is in `context.step.failure` of its handler. Without it the dead letter is all that tells of the failure.
   */
  onFailure<Step extends ChainStep>(step: Step & CheckedStep<Step>): this {
    this.failureStep = step;
    return this;
  }

  /**
   * Sends the first step, with all others in a header of it. Checks them all before. Called again, it sends the same
   * chain under the same ids, as after an {@link OutcomeUnknownError}.
   *
   * @returns what has become of the first step
   * @throws MessageTooLargeError if the chain has no room in a header: 32 KiB
   * @throws the errors of {@link Publisher.send}, of whichever step
   */
  dispatch(): Promise<Published> {
    const { id, steps, failureStep } = this;
    return this.send({ id, steps, onFailure: failureStep });
  }
}

/** Why a chain has ended before its end. */
export interface StepFailure {
  /** Routing key, place and messageId of the step that was given up. */
  readonly key: string;
  readonly number: number;
  readonly messageId: string | undefined;
  /** Why it was, as its dead letter has it. */
  readonly reason: string;
  /** Name and message of the last error. */
  readonly error: string;
}

/**
 * What a handler knows of the chain that its message is a step of, and how it changes the rest. Nothing of what an attempt
 * asks for here has an effect unless that attempt is the one that is done.
 */
export interface StepContext {
  /** The messageId of the chain's first step. */
  readonly chainId: string;
  /** Its place, 1 for the first. */
  readonly number: number;
  /** How many steps there are, those that have been handled included. */
  readonly of: number;
  /** Routing keys of the steps after it, as this attempt has changed them. */
  readonly rest: readonly string[];
  /** What the step before passed on; undefined if it didn't. */
  readonly result: unknown;
  /** Set in the failure step only: what went wrong. */
  readonly failure: StepFailure | undefined;

  /**
   * Gives the next step a result, which travels as JSON in a header.
   *
   * @throws InvalidMessageError for what JSON can't hold
   * @throws MessageTooLargeError if it and the rest of the chain have no room in a header
   */
  pass(result: unknown): void;
  /**
   * Puts steps before the rest.
   *
   * @throws the errors of {@link Chain.dispatch} that say what is wrong with a step; where a schema takes its time, they
   *   fail the attempt when the handler has returned
   */
  prepend<Step extends ChainStep>(...steps: CheckedSteps<Step>): void;
  /** Puts steps behind the rest. @throws as {@link prepend} */
  append<Step extends ChainStep>(...steps: CheckedSteps<Step>): void;
  /** Puts steps in place of the rest; none ends the chain here. @throws as {@link prepend} */
  replace<Step extends ChainStep>(steps: CheckedSteps<Step>): void;
}
