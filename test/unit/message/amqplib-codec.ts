import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Headers } from '../../../src/message/properties.js';
import { receivedHeaders, sentHeaders } from '../../../src/transport/amqp/values.js';

interface Codec {
  encodeTable(buffer: Buffer, table: object, offset: number): number;
  decodeFields(fields: Buffer): Record<string, unknown>;
}

const require = createRequire(import.meta.url);
// Not exported by the package: the tests ask the real thing, the library never does.
const codec = require(join(dirname(require.resolve('amqplib')), 'lib/codec.js')) as Codec;

/** What amqplib allots to one message's headers. */
const BUFFER_BYTES = 64 * 1024;

/**
 * The bytes that amqplib writes for these headers.
 *
 * @throws what amqplib throws at a publish
 */
export function encoded(headers: Headers): Buffer {
  const buffer = Buffer.alloc(BUFFER_BYTES);
  return buffer.subarray(0, codec.encodeTable(buffer, sentHeaders(headers), 0));
}

/** Headers as a consumer gets them from those bytes. */
export function decoded(bytes: Buffer): Headers {
  return receivedHeaders(codec.decodeFields(bytes.subarray(4)));
}
