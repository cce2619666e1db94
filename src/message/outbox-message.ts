import {
  type ChainState,
  chainOfText,
  decodeStep,
  encodeChain,
  encodeStep,
  type StepMessage,
} from './chain-header.js';

/*
 * A message as it lies in an outbox: JSON. The format is a promise, since a newer version finds what an older one has left:
 * `v` is raised by whoever breaks it.
 */

const VERSION = 1;

export interface OutboxMessage {
  readonly step: StepMessage;
  /** `send`: somebody must take it. */
  readonly mustRoute: boolean;
  /** The chain that it is a step of. */
  readonly chain: ChainState | undefined;
  /** Which has left it there: whoever relays it may be another. Rows of older versions don't say. */
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
