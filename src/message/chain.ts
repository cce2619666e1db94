import type { IsPattern, MessageDefinition } from './define-message.js';
import type { OfJobs, PublishOptions } from './publish-options.js';
import type { Published } from './published.js';

/*
 * A chain: messages that are handled one after the other. Its remaining steps travel with the message of the
 * current step, so the broker alone stores it. When a step is done, the next one is sent and confirmed before
 * the step's message is acked.
 */

/**
 * One step of a chain: a message and its publish options. Its delay counts from the end of the previous step.
 * The service that handles the previous step sends it, so options of a connection or a call are left out.
 */
export interface ChainStep
  extends Omit<PublishOptions, 'messageId' | 'deadline' | 'userId' | 'unique' | OfJobs> {
  /** Definition, which types and validates the payload and has the routing key. Without one, set `key`. */
  definition?: MessageDefinition;
  /** Payload; serialized, and encrypted, when the chain is dispatched or a handler adds the step. */
  payload: unknown;
}

/**
 * Type that a step must have: the payload of its definition, and a concrete key if nothing else gives one. For
 * a union, one type per member, tied to that member's definition.
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

/** Steps, each with its type checked. */
export type CheckedSteps<Step extends ChainStep> = readonly (Step & CheckedStep<Step>)[];

/** Options of a chain as a whole. */
export interface ChainOptions {
  /**
   * Id of the chain, which is the messageId of its first step; the ids of the other steps are derived from it.
   * Give your own to dispatch the same chain again, as a handler does that runs again. @default a new UUIDv7
   */
  id?: string;
}

/** Content of a dispatch. */
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
    /** The messageId of the first step. */
    readonly id: string,
    private readonly steps: readonly ChainStep[],
    private readonly send: (plan: ChainPlan) => Promise<Published>,
  ) {}

  /**
   * Sets the message that is sent when a step is given up, before its dead letter; the remaining steps are not
   * run. The handler of that message finds the cause in `context.step.failure`. Without a failure step only the
   * dead letter tells of the failure.
   */
  onFailure<Step extends ChainStep>(step: Step & CheckedStep<Step>): this {
    this.failureStep = step;
    return this;
  }

  /**
   * Sends the first step, with all others in a header. All steps are checked before. A second call sends the
   * same chain under the same ids, for instance after an {@link OutcomeUnknownError}.
   *
   * @returns the result for the first step
   * @throws MessageTooLargeError if the chain does not fit into a header: 32 KiB
   * @throws the errors of {@link Publisher.send}, for any step
   */
  dispatch(): Promise<Published> {
    const { id, steps, failureStep } = this;
    return this.send({ id, steps, onFailure: failureStep });
  }
}

/** The step that ended a chain early, and the cause. */
export interface StepFailure {
  /** Routing key, number and messageId of the step that was given up. */
  readonly key: string;
  readonly number: number;
  readonly messageId: string | undefined;
  /** Reason of its dead letter. */
  readonly reason: string;
  /** Name and message of the last error. */
  readonly error: string;
}

/**
 * The chain that a handler's message is a step of, and the methods that change its remaining steps. Changes
 * take effect only if the attempt that makes them succeeds.
 */
export interface StepContext {
  /** The messageId of the chain's first step. */
  readonly chainId: string;
  /** Number of this step, starting at 1. */
  readonly number: number;
  /** Number of all steps, the handled ones included. */
  readonly of: number;
  /** Routing keys of the remaining steps, as this attempt has changed them. */
  readonly rest: readonly string[];
  /** Result that the previous step passed on; undefined if there is none. */
  readonly result: unknown;
  /** The failure, in the failure step only. */
  readonly failure: StepFailure | undefined;

  /**
   * Sets the result for the next step. It travels as JSON in a header.
   *
   * @throws InvalidMessageError for a value that JSON can't hold
   * @throws MessageTooLargeError if the result and the remaining steps do not fit into a header
   */
  pass(result: unknown): void;
  /**
   * Inserts steps before the remaining ones.
   *
   * @throws the errors of {@link Chain.dispatch} about a step; if a schema is async, they fail the attempt when
   * the handler has returned
   */
  prepend<Step extends ChainStep>(...steps: CheckedSteps<Step>): void;
  /** Adds steps after the remaining ones. @throws as {@link prepend} */
  append<Step extends ChainStep>(...steps: CheckedSteps<Step>): void;
  /** Replaces the remaining steps; an empty list ends the chain here. @throws as {@link prepend} */
  replace<Step extends ChainStep>(steps: CheckedSteps<Step>): void;
}
