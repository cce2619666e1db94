import type { Encryption } from '../../encryption/encryption.js';
import { OptionsError } from '../../errors.js';
import { isMessageDefinition, type MessageDefinition } from '../../message/define-message.js';
import type { PublishManyOptions } from '../../message/publish-options.js';
import { JSON_CONTENT_TYPE } from '../../serialization/json.js';
import type { Serializer } from '../../serialization/serializer.js';
import { isEncrypted } from '../encryption/encrypt.js';

/**
 * Maximum number of payloads in one message of a publish of many; 1 if each is a message.
 *
 * @throws OptionsError for a pack of encrypted messages: one that travels on alone would be plain
 */
export function packSizeOf(
  target: string | MessageDefinition,
  options: PublishManyOptions,
  encryption: Encryption | undefined,
): number {
  const gathered = isMessageDefinition(target) ? target.pack?.max : undefined;
  if (!isEncrypted(target, options, encryption)) return options.pack ?? gathered ?? 1;
  if (options.pack === undefined) return 1;
  throw new OptionsError('publishMany', [
    'expected either pack or encrypted, got both: messages are encrypted one by one',
  ]);
}

/** @throws OptionsError for a serializer that writes anything but JSON */
export function mustBePackable({ contentType }: Serializer): void {
  if (contentType === JSON_CONTENT_TYPE) return;
  throw new OptionsError('pack', [
    `expected the bus to write JSON, which is all that can be packed; it writes '${contentType}'`,
  ]);
}
