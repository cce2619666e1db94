import type { PublishCall } from '../pipeline/publish-call.js';
import type { Gathering, PublishFeature, Sending } from '../pipeline/publish-stage.js';
import { piped } from '../pipeline/stage.js';

export interface PublishWaysParts {
  /** Features with a stage before the message is composed. */
  readonly gather: readonly PublishFeature<Gathering>[];
  /** Features with a stage of the composed message; the first is the outermost. */
  readonly send: readonly PublishFeature<Sending>[];
  /** Composes the message of one payload, and sends it on. */
  readonly compose: (next: Sending) => Gathering;
  /** Hands the message to the transport. */
  readonly transmit: Sending;
}

/** The ways of publishes, one for each set of features that is asked for: put together when it is first asked for. */
export class PublishWays {
  private readonly gatherings: (Gathering | undefined)[] = [];
  private readonly sendings: (Sending | undefined)[] = [];

  constructor(private readonly parts: PublishWaysParts) {}

  /** The way of a serialized payload. */
  of(call: PublishCall): Gathering {
    return this.gathering(askedOf(this.parts.gather, call), call);
  }

  /** The way of a serialized payload that is not gathered with others. */
  ofOne(call: PublishCall): Gathering {
    return this.gathering(0, call);
  }

  /** The way of a composed message. */
  ofComposed(call: PublishCall): Sending {
    return this.sending(askedOf(this.parts.send, call));
  }

  private gathering(asked: number, call: PublishCall): Gathering {
    const { gather, send, compose } = this.parts;
    const sending = askedOf(send, call);
    const index = (sending << gather.length) | asked;
    this.gatherings[index] ??= piped(stagesOf(gather, asked), compose(this.sending(sending)));
    return this.gatherings[index];
  }

  private sending(asked: number): Sending {
    const { send, transmit } = this.parts;
    this.sendings[asked] ??= piped(stagesOf(send, asked), transmit);
    return this.sendings[asked];
  }
}

/** The features that a call asks for, a bit each. */
function askedOf<Way>(features: readonly PublishFeature<Way>[], call: PublishCall): number {
  let asked = 0;
  for (let index = 0; index < features.length; index++)
    if ((features[index] as PublishFeature<Way>).asks(call)) asked |= 1 << index;
  return asked;
}

const stagesOf = <Way>(features: readonly PublishFeature<Way>[], asked: number) =>
  features.filter((_feature, index) => asked & (1 << index)).map(({ stage }) => stage);
