import {
  type ChainState,
  chainOfText,
  decodeStep,
  encodeChain,
  encodeStep,
  type StepMessage,
} from './chain-header.js';

/*
 * A message as an outbox stores it: JSON. The format is a promise, since a newer version reads rows of an older
 * one: whoever changes it incompatibly raises `v`.
 */

const VERSION = 1;

export interface OutboxMessage {
  readonly step: StepMessage;
  /** True for `send`: at least one queue must take the message. */
  readonly mustRoute: boolean;
  /** Chain that the message is a step of. */
  readonly chain: ChainState | undefined;
  /** Service that wrote the row; another may relay it. Rows of older versions don't have it. */
  readonly service?: string | undefined;
}

export function encodeOutboxMessage({ step, mustRoute, chain, service }: OutboxMessage): string {
  return JSON.stringify({
    v: VERSION,
    intent: mustRoute ? 'send' : 'publish',
    service,
    ...encodeStep(step),
    ...(chain ? { chain: encodeChain(chain) } : {}),
  });
}

/** @throws Error for what {@link encodeOutboxMessage} never writes */
export function decodeOutboxMessage(text: string): OutboxMessage {
  const message = JSON.parse(text);
  if (message.v !== VERSION) throw new Error(`expected v to be ${VERSION}, got ${message.v}`);
  return {
    step: decodeStep(message, 'it'),
    mustRoute: message.intent === 'send',
    chain: message.chain === undefined ? undefined : chainOfText(message.chain),
    ...(typeof message.service === 'string' ? { service: message.service } : {}),
  };
}
