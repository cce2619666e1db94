import { type Encryption, SEAL_BYTES } from '../../encryption/encryption.js';
import { boundTo, ENCRYPTED_CONTENT_TYPE, type Owner } from '../../encryption/envelope.js';
import { OptionsError } from '../../errors.js';
import { isMessageDefinition, type MessageDefinition } from '../../message/define-message.js';
import { HEADER } from '../../message/headers.js';
import type { OutgoingMessage } from '../../message/message.js';
import type { Headers } from '../../message/properties.js';
import type { PublishOptions } from '../../message/publish-options.js';
import type { StepMessage } from '../../message/wire/chain-header.js';
import type { PublishCall } from '../../pipeline/publish-call.js';
import type { PublishFeature, Sending } from '../../pipeline/publish-stage.js';
import { after } from '../../util/after.js';

/**
 * Tells whether a message is to be encrypted: its definition or the call may ask for it.
 *
 * @throws OptionsError if the bus can't encrypt, or if the call says no where the definition says yes
 */
export function isEncrypted(
  target: string | MessageDefinition | undefined,
  { encrypted }: Pick<PublishOptions, 'encrypted'>,
  encryption: Encryption | undefined,
): boolean {
  const always = isMessageDefinition(target) && target.encrypted ? target.key : undefined;
  if (!encrypted && always === undefined) return false;
  if (encrypted === false)
    throw new OptionsError('publish', [
      `expected encrypted to be true or left out, since '${always}' is always encrypted; got false`,
    ]);
  if (!encryption) throw withoutEncryption('the message');
  return true;
}

export function withoutEncryption(what: string): OptionsError {
  return new OptionsError('publish', [
    `expected the bus to have encryption: { keys }, since ${what} is to be encrypted`,
  ]);
}

/** Encrypts messages that are to be encrypted. */
export function encrypting(encryption: Encryption | undefined): PublishFeature<Sending> {
  return {
    asks: ({ encrypted }) => encrypted,
    stage: (next) => (call, message) => {
      // A bus without keys has refused the call.
      const encrypted = encryptedMessage(call, message, encryption as Encryption);
      return encrypted instanceof Promise
        ? encrypted.then((late) => next(call, late))
        : next(call, encrypted);
    },
  };
}

/**
 * Encrypts the message's body, bound to its messageId and routing key, so that it can't be sent again under
 * others. Returns a promise only if the key has to be waited for.
 *
 * @throws KeysUnavailableError
 */
function encryptedMessage(
  { routingKey }: Pick<PublishCall, 'routingKey'>,
  message: OutgoingMessage,
  encryption: Encryption,
): OutgoingMessage | Promise<OutgoingMessage> {
  const { body, properties } = message;
  const bound = boundTo(routingKey, { messageId: properties.messageId });
  return after(encryption.seal(body, String(properties.contentType), bound), (sealed) => {
    const headers = withEncryption(properties.headers, sealed.header);
    const own = { ...properties, headers, contentType: ENCRYPTED_CONTENT_TYPE };
    return { ...message, body: sealed.body, properties: own };
  });
}

/**
 * Encrypts a step's body, long before the step is sent: bound to its chain if it has one, since the step's
 * messageId is not known yet.
 *
 * @throws KeysUnavailableError
 */
export function encryptedStep(
  step: StepMessage,
  owner: Owner,
  encryption: Encryption,
): StepMessage | Promise<StepMessage> {
  const bound = boundTo(step.key, owner);
  return after(encryption.seal(step.body, step.contentType, bound), ({ body, header }) =>
    asEncrypted(step, body, header),
  );
}

/** A placeholder with the step's future size and none of its content, while the key has to be waited for. */
export const blankStep = (step: StepMessage): StepMessage =>
  asEncrypted(step, Buffer.alloc(step.body.length + SEAL_BYTES), '');

function asEncrypted(step: StepMessage, body: Buffer, encrypted: string): StepMessage {
  return { ...step, body, contentType: ENCRYPTED_CONTENT_TYPE, encrypted };
}

/** Adds the header that describes the body's encryption. */
export function withEncryption(headers: Readonly<Headers> | undefined, header: string): Headers {
  return Object.assign(Object.create(null), headers, { [HEADER.encrypted]: header });
}
