import { boundTo, ENCRYPTED_CONTENT_TYPE } from '../encryption/envelope.js';
import { withEncryption } from '../features/encryption/encrypt.js';
import type { MessageDefinition } from '../message/define-message.js';
import type { PublishIntent, PublishOptions } from '../message/publish-options.js';
import type { Published } from '../message/published.js';
import { uniqueKey } from '../message/unique.js';
import { type Draft, type Drafting, optionsAsOfNow } from '../pipeline/draft.js';
import {
  type Beside,
  bodyOf,
  type ComposeOptions,
  composeMessage,
  contentTypeOf,
  encodedBody,
  type PublishCall,
} from '../pipeline/publish-call.js';
import type { Later } from '../pipeline/stage.js';
import { after } from '../util/after.js';
import type { Clock } from '../util/clock.js';
import type { PublishWays } from './publish-ways.js';

export interface DraftsOptions extends ComposeOptions {
  readonly clock: Clock;
  /** The call of one message that goes alone. @throws NotStartedError, StoppedError; OptionsError, InvalidMessageError */
  callOf(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions,
    beside: Beside,
  ): PublishCall;
  /** Validates the payload and ensures the exchange; undefined if nothing is left to wait for. */
  prepare(target: string | MessageDefinition, call: PublishCall): Promise<unknown> | undefined;
  readonly ways: PublishWays;
}

/** Messages that are made now and leave later. What is wrong with one fails here, where its author can do something about it. */
export class Drafts implements Drafting {
  constructor(private readonly options: DraftsOptions) {}

  draft(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions,
    beside: Beside,
  ): Later<Draft> {
    const call = this.options.callOf(intent, target, payload, options, beside);
    return after(this.options.prepare(target, call), () =>
      after(encodedBody(bodyOf(call, this.options), call, this.options), (body) => this.sealed(call, body)),
    );
  }

  leave({ call, body, contentType, encrypted }: Draft): Promise<Published> {
    const { clock, ways } = this.options;
    const message = composeMessage(call, body, this.options, clock.now(), contentType);
    const { properties } = message;
    if (encrypted !== undefined) properties.headers = withEncryption(properties.headers, encrypted);
    return ways.ofComposed(call)(call, message);
  }

  private sealed(call: PublishCall, body: Buffer): Later<Draft> {
    const { clock, encryption } = this.options;
    const { routingKey, payload, unique, options } = call;
    // For the checks of a delay: the message itself is composed when it leaves.
    if (options.delay !== undefined || options.at !== undefined)
      composeMessage(call, body, this.options, clock.now());
    // Of the payload as it is now. A serializer may give the caller's own bytes, too.
    const key = unique?.by && uniqueKey(unique, payload, routingKey);
    const own = {
      ...call,
      payload: undefined,
      options: optionsAsOfNow(options),
      unique: unique && key !== undefined ? { ...unique, by: () => key } : unique,
    };
    if (!(call.encrypted && encryption))
      return { call: own, body: Buffer.from(body), contentType: undefined, encrypted: undefined };
    const bound = boundTo(routingKey, { messageId: options.messageId });
    return after(encryption.seal(body, contentTypeOf(call, this.options), bound), (sealed) => ({
      call: { ...own, encrypted: false },
      body: sealed.body,
      contentType: ENCRYPTED_CONTENT_TYPE,
      encrypted: sealed.header,
    }));
  }
}
