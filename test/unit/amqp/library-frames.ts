import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ConsumeMessage } from 'amqplib';
import fc from 'fast-check';

/*
 * amqplib's own codec, which the package doesn't export: what Hopline reads and writes itself is held against it.
 */

interface Frame {
  readonly id?: number;
  readonly channel: number;
  readonly fields?: Record<string, unknown>;
  readonly size?: number;
  readonly content?: Buffer;
}

interface Definitions {
  readonly BasicDeliver: number;
  readonly BasicPublish: number;
  readonly BasicProperties: number;
  encodeMethod(id: number, channel: number, fields: object): Buffer;
  encodeProperties(id: number, channel: number, size: number, fields: object): Buffer;
}

interface Framing {
  makeBodyFrame(channel: number, payload: Buffer): Buffer;
  parseFrame(bytes: Buffer, max: number): false | { readonly rest: Buffer };
  decodeFrame(frame: object): Frame;
}

const require = createRequire(import.meta.url);
const home = dirname(require.resolve('amqplib'));
const definitions = require(join(home, 'lib/defs.js')) as Definitions;
const framing = require(join(home, 'lib/frame.js')) as Framing;
const { publish } = require(join(home, 'lib/api_args.js')) as {
  publish(exchange: string, routingKey: string, options: object): Record<string, unknown>;
};

export interface Sent {
  readonly channel: number;
  readonly fields: Record<string, unknown>;
  readonly properties: Record<string, unknown>;
  readonly body: Buffer;
}

/** The frames of a delivery, its body in one. */
export function deliveryFrames({ channel, fields, properties, body }: Sent): Buffer {
  return frames(definitions.BasicDeliver, channel, fields, properties, body);
}

/** What amqplib makes of the arguments of a publish, and the frames it writes then. */
export function publishFrames(
  channel: number,
  exchange: string,
  routingKey: string,
  options: object,
  body: Buffer,
) {
  const fields = publish(exchange, routingKey, options);
  return { fields, write: () => frames(definitions.BasicPublish, channel, fields, fields, body) };
}

function frames(method: number, channel: number, fields: object, properties: object, body: Buffer): Buffer {
  return Buffer.concat([
    definitions.encodeMethod(method, channel, fields),
    definitions.encodeProperties(definitions.BasicProperties, channel, body.length, properties),
    ...(body.length > 0 ? [framing.makeBodyFrame(channel, body)] : []),
  ]);
}

/**
 * The first delivery as amqplib reads it.
 *
 * @throws what amqplib throws at malformed ones, and Error at what is no whole delivery
 */
export function libraryReads(bytes: Buffer): { channel: number; message: ConsumeMessage; end: number } {
  let rest = bytes;
  const next = (): Frame => {
    const frame = framing.parseFrame(rest, 0);
    if (!frame) throw new Error('not whole');
    rest = frame.rest;
    return framing.decodeFrame(frame);
  };
  const method = next();
  const header = next();
  if (method.id !== definitions.BasicDeliver || header.id !== definitions.BasicProperties)
    throw new Error('no delivery');
  const bodies: Buffer[] = [];
  for (let missing = header.size as number; missing > 0; missing -= bodies.at(-1)?.length ?? 0) {
    const { content, channel } = next();
    if (!content || channel !== method.channel) throw new Error('no body');
    bodies.push(content);
  }
  if (header.channel !== method.channel) throw new Error('of two channels');
  const message = { fields: method.fields, properties: header.fields, content: Buffer.concat(bodies) };
  return {
    channel: method.channel,
    message: message as unknown as ConsumeMessage,
    end: bytes.length - rest.length,
  };
}

/** The first frame, as the library parses it; undefined if it is not there whole. */
export function nextFrame(bytes: Buffer): { readonly frame: object; readonly rest: Buffer } | undefined {
  const parsed = framing.parseFrame(bytes, 0);
  return parsed ? { frame: framing.decodeFrame(parsed), rest: parsed.rest } : undefined;
}

/** Texts of up to 255 bytes, all of Unicode. */
export const shortText = fc
  .oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 80 }))
  .filter((text) => Buffer.byteLength(text) <= 255);

const flatValue = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.boolean(),
  fc.integer({ min: -200, max: 200 }),
  fc.integer({ min: -70_000, max: 70_000 }),
  fc.integer(),
);

/** Headers of the types that nearly all headers have. */
export const flatHeaders = fc.dictionary(
  fc.string({ maxLength: 30 }).filter((name) => name !== '__proto__'),
  flatValue,
  { maxKeys: 6 },
);

/** Properties as a publisher may set them; none of them twice as likely as absent. */
export const anyProperties = fc.record(
  {
    contentType: shortText,
    contentEncoding: shortText,
    headers: flatHeaders,
    deliveryMode: fc.constantFrom(1, 2),
    priority: fc.integer({ min: 0, max: 255 }),
    correlationId: shortText,
    replyTo: shortText,
    expiration: fc.nat().map(String),
    messageId: shortText,
    timestamp: fc.maxSafeNat(),
    type: shortText,
    userId: shortText,
    appId: shortText,
  },
  { requiredKeys: [] },
);

export const anyBody = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
