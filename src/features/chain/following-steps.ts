import { followingId } from '../../message/message-id.js';
import { type ChainState, type StepMessage, withChain } from '../../message/wire/chain-header.js';
import { encodeOutboxMessage } from '../../message/wire/outbox-message.js';
import { cutErrorText } from '../../pipeline/errors/error-header.js';
import type { Received } from '../../pipeline/received.js';
import { type Cause, carriedFrom } from '../../pipeline/tracing/carried.js';
import type { OutboxEntry } from '../../stores/outbox.js';
import type { Carried } from './sender.js';

/*
 * The messages that follow a step of a chain. Their ids are derived from the step's, and so are the same each time
 * that the step is handled: a message that is sent twice can be recognised.
 */

/** A step that is to be sent now. */
export interface FollowingStep {
  readonly step: StepMessage;
  /** Chain state that travels with it. */
  readonly state: ChainState;
  readonly messageId: string;
  readonly carried: Carried;
}

/** State of a chain at its next step. */
export function stateOfNext(chain: ChainState): ChainState {
  const { number, rest } = chain;
  return { ...chain, number: number + 1, rest: rest.slice(1), failure: undefined, finished: false };
}

/** The next step of a chain; undefined if the chain ends here. */
export function nextStep(cause: Cause, chain: ChainState): FollowingStep | undefined {
  const [step] = chain.rest;
  if (!step) return undefined;
  const messageId = idAfter(cause.received, chain, 'next');
  return { step, state: stateOfNext(chain), messageId, carried: carriedFrom(cause) };
}

/** The next step as an entry of an outbox. @throws MessageTooLargeError: no relay could send it, now or later */
export function nextStepEntry(cause: Cause, chain: ChainState, service: string): OutboxEntry | undefined {
  const next = nextStep(cause, chain);
  if (!next) return undefined;
  const { step, state, messageId, carried } = next;
  // A relay has no message that caused this one: what is carried on becomes part of the step's own options.
  const headers = { ...carried.headers, ...step.options.headers };
  withChain(headers, state, step.encrypted);
  const options = { ...carried, ...step.options, headers };
  const message = encodeOutboxMessage({ step: { ...step, options }, mustRoute: true, chain: state, service });
  return { messageId, routingKey: step.key, orderKey: undefined, message };
}

/** The failure step of a chain, for a step that was given up; undefined if the chain has none. */
export function failureStep(
  cause: Cause,
  chain: ChainState,
  { reason, error }: { readonly reason: string; readonly error: unknown },
): FollowingStep | undefined {
  const { received } = cause;
  const { id, number, onFailure: step } = chain;
  if (!step) return undefined;
  // A finished step has failed to be followed: the step that could not be sent is the one that has failed.
  const unsent = chain.finished ? chain.rest[0] : undefined;
  const failure = {
    key: unsent?.key ?? received.routingKey,
    number: unsent ? number + 1 : number,
    messageId: unsent ? idAfter(received, chain, 'next') : received.messageId,
    reason,
    error: cutErrorText(error),
  };
  const none = { rest: [], onFailure: undefined, result: undefined, finished: false };
  const state = { id, number: failure.number + 1, failure, ...none };
  return { step, state, messageId: idAfter(received, chain, 'failure'), carried: carriedFrom(cause) };
}

function idAfter({ messageId }: Received, { id, number }: ChainState, as: 'next' | 'failure'): string {
  return followingId(messageId ?? `${id}/${number}`, as);
}
