import { isOwnHeader } from '../headers.js';
import type { MessageProperties } from '../properties.js';
import { contentOf } from './field-tags.js';
import { counted, type Entry, entriesIn, entryBytes } from './fields.js';

export type PropertyName = Exclude<keyof MessageProperties, 'headers'>;

/** Properties in the order of the protocol; the first has the highest bit of the flags. */
const PROPERTIES = [
  ['contentType', 'text'],
  ['contentEncoding', 'text'],
  ['headers', 'table'],
  ['deliveryMode', 'octet'],
  ['priority', 'octet'],
  ['correlationId', 'text'],
  ['replyTo', 'text'],
  ['expiration', 'text'],
  ['messageId', 'text'],
  ['timestamp', 'moment'],
  ['type', 'text'],
  ['userId', 'text'],
  ['appId', 'text'],
  ['clusterId', 'text'],
] as const satisfies readonly (readonly [keyof MessageProperties, string])[];

const FLAGS_BYTES = 2;

/** One header in the encoding of the wire. */
export interface EncodedHeader {
  readonly name: string;
  /** Name, tag and value. */
  readonly bytes: Buffer;
}

interface Parsed {
  /** Bytes of each property; texts are without their length. */
  readonly values: ReadonlyMap<string, Buffer>;
  /** Offset of the headers' entries. */
  readonly tableStart: number;
  readonly tableEnd: number;
}

/**
 * A message's properties in the bytes in which they were received. These hold more than JavaScript values do:
 * the type of a number, and text that is not UTF-8. They are parsed at first use; most messages' never are.
 */
export class EncodedProperties {
  private parsedOnce: Parsed | undefined;

  constructor(
    private readonly bytes: Buffer,
    /** Offset of the property flags. All properties have been read before, so nothing is checked again. */
    private readonly start: number,
    /** Offset after the last readable header, if some could not be read. */
    private readonly readTo?: number | undefined,
  ) {}

  /** Encodes properties from their parts, as they are on the wire. */
  static of(
    values: Readonly<Partial<Record<PropertyName, Buffer>>>,
    headers: readonly Entry[],
  ): EncodedProperties {
    let flags = 0;
    const parts: Buffer[] = [];
    for (const [index, [name, kind]] of PROPERTIES.entries()) {
      const value = name === 'headers' ? entryBytes(headers) : values[name];
      if (value === undefined) continue;
      flags |= 0x8000 >> index;
      if (kind === 'text') parts.push(Buffer.from([value.length]));
      parts.push(kind === 'table' ? counted(value) : value);
    }
    return new EncodedProperties(Buffer.concat([Buffer.from([flags >> 8, flags & 0xff]), ...parts]), 0);
  }

  /** Bytes of a property; a text's are without its length. Undefined if the property is missing. */
  value(name: PropertyName): Buffer | undefined {
    return this.parsed.values.get(name);
  }

  /** All readable headers in their order; a name may occur more than once. */
  get entries(): Entry[] {
    const { tableStart, tableEnd } = this.parsed;
    return entriesIn(this.bytes, tableStart, tableEnd);
  }

  /** Headers other than Hopline's. */
  get headers(): EncodedHeader[] {
    const { tableStart, tableEnd } = this.parsed;
    const { bytes } = this;
    const headers: EncodedHeader[] = [];
    for (let at = tableStart; at < tableEnd; ) {
      const valueAt = at + 1 + (bytes[at] as number);
      const { end } = contentOf(bytes, valueAt);
      const name = bytes.toString('utf8', at + 1, valueAt);
      if (!isOwnHeader(name)) headers.push({ name, bytes: bytes.subarray(at, end) });
      at = end;
    }
    return headers;
  }

  private get parsed(): Parsed {
    this.parsedOnce ??= this.parse();
    return this.parsedOnce;
  }

  private parse(): Parsed {
    const { bytes, start, readTo } = this;
    const flags = bytes.readUInt16BE(start);
    const values = new Map<string, Buffer>();
    let [tableStart, tableEnd] = [0, 0];
    let at = start + FLAGS_BYTES;
    for (const [index, [name, kind]] of PROPERTIES.entries()) {
      if ((flags & (0x8000 >> index)) === 0) continue;
      const valueAt = at + LENGTH_BYTES[kind];
      at =
        valueAt +
        (kind === 'table' ? bytes.readUInt32BE(at) : kind === 'text' ? (bytes[at] as number) : SIZE[kind]);
      values.set(name, bytes.subarray(valueAt, at));
      if (kind === 'table') [tableStart, tableEnd] = [valueAt, readTo ?? at];
    }
    return { values, tableStart, tableEnd };
  }
}

/** Length of the length field before a value. */
const LENGTH_BYTES = { text: 1, table: 4, octet: 0, moment: 0 } as const;
const SIZE = { octet: 1, moment: 8 } as const;

/**
 * The received form of a message, kept beside its properties when it is republished: values that are unchanged
 * go out in the bytes in which they came.
 */
export interface MessageSource {
  readonly encoded: EncodedProperties;
  /** The properties as they were read. */
  readonly read: MessageProperties;
}

/** Bytes of a property that is unchanged since it was read; undefined if it has changed or was missing. */
export function keptProperty(
  source: MessageSource | undefined,
  name: PropertyName,
  value: unknown,
): Buffer | undefined {
  return source && source.read[name] === value ? source.encoded.value(name) : undefined;
}

/**
 * Headers that are unchanged since they were read, as they were on the wire. Hopline's own are not among them:
 * they are written anew.
 */
export function keptHeaders(
  source: MessageSource,
  headers: Readonly<Record<string, unknown>>,
): EncodedHeader[] {
  const { headers: read = {} } = source.read;
  return source.encoded.headers.filter(({ name }) => Object.is(headers[name], read[name]));
}
