import type { OutgoingMessage } from '../message/message.js';
import type { Published } from '../message/published.js';
import type { PublishCall } from './publish-call.js';
import type { Stage } from './stage.js';

/*
 * A publish's way to the broker is made of stages, put together once for each set of features that publishes ask for. A
 * publish that asks for no feature passes no stage of it.
 *
 *   middleware  publish middleware, once a payload, before it is checked and serialized
 *   gather      with the serialized payload: it may leave in one message with others
 *   send        with the composed message: what is stored before it and after it, and what is changed of it
 *
 * No stage is async where nothing is to be waited for: a plain publish costs one promise, the transport's.
 */

/** Takes a serialized payload on; resolves with the confirm of the message that it leaves in. */
export type Gathering = (call: PublishCall, body: Buffer) => Promise<Published>;

/** Takes a composed message on; resolves with its confirm. */
export type Sending = (call: PublishCall, message: OutgoingMessage) => Promise<Published>;

export type GatherStage = Stage<Gathering>;
export type SendStage = Stage<Sending>;

/** A feature's stage of publishes, and which of them it is for. */
export interface PublishFeature<Way> {
  /** Called for each publish, so it must be cheap. */
  asks(call: PublishCall): boolean;
  readonly stage: Stage<Way>;
}
