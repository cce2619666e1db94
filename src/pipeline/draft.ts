import type { MessageDefinition } from '../message/define-message.js';
import { copyHeaders } from '../message/headers.js';
import type { PublishIntent, PublishOptions } from '../message/publish-options.js';
import type { Published } from '../message/published.js';
import type { Beside, PublishCall } from './publish-call.js';
import type { Later } from './stage.js';

/** A message that is checked, validated, serialized and encrypted, and leaves later. */
export interface Draft {
  readonly call: PublishCall;
  readonly body: Buffer;
  /** Content type of the body; undefined for the serializer's. */
  readonly contentType: string | undefined;
  /** Description of the body's encryption; undefined for a plain one. */
  readonly encrypted: string | undefined;
}

/** What the call of a draft resolves with. */
export const receiptOf = ({ call: { job } }: Pick<Draft, 'call'>, published: Published): Published =>
  job ? job.sent(published, false) : published;

/** The options as they are now: they are read again when the message leaves, and their objects belong to the caller. */
export function optionsAsOfNow<Options extends Pick<PublishOptions, 'headers' | 'at'>>(
  options: Options,
): Options {
  const { headers, at } = options;
  return {
    ...options,
    ...(headers ? { headers: copyHeaders(headers) } : {}),
    ...(at ? { at: new Date(at) } : {}),
  };
}

/** Makes drafts, and publishes them. */
export interface Drafting {
  /**
   * Drafts the message of a call whose options are checked and name its messageId.
   *
   * @throws the errors of `publish` or `send` before anything is sent
   */
  draft(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions,
    beside: Beside,
  ): Later<Draft>;
  /** Publishes a draft; resolves with its confirm. A `delay` counts from now. @throws the errors of `publish` or `send` */
  leave(draft: Draft): Promise<Published>;
}
