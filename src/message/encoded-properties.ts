import { contentOf } from './field-tags.js';
import { counted, type Entry, entriesIn, entryBytes } from './fields.js';
import { isOwnHeader } from './headers.js';
import type { MessageProperties } from './message.js';

export type PropertyName = Exclude<keyof MessageProperties, 'headers'>;

/** In the order of the protocol, the first under the highest bit of the flags. */
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

/** One header as it lies on the wire. */
export interface EncodedHeader {
  readonly name: string;
  /** Name, tag and value. */
  readonly bytes: Buffer;
}

interface Parsed {
  /** What each property has, a text's length not included. */
  readonly values: ReadonlyMap<string, Buffer>;
  /** Where the entries of the headers lie. */
  readonly tableStart: number;
  readonly tableEnd: number;
}

/**
 * A message's properties in the bytes in which they came, which is more than values of JavaScript can say: of what type a number
 * is, and what is no UTF-8. Nothing is looked at before it is asked for: of most messages it never is.
 */
export class EncodedProperties {
  private known: Parsed | undefined;

  constructor(
    private readonly bytes: Buffer,
    /** Where the flags stand that say which properties there are; all of them have been read before. */
    private readonly start: number,
    /** Behind the last header that could be read, if not all of them could. */
    private readonly readTo?: number | undefined,
  ) {}

  /** Of such parts, as who writes them on the wire does. */
  static of(
    values: Readonly<Partial<Record<PropertyName, Buffer>>>,
    headers: readonly Entry[],
  ): EncodedProperties {
    let flags = 0;
    const parts: Buffer[] = [];
    for (const [place, [name, kind]] of PROPERTIES.entries()) {
      const value = name === 'headers' ? entryBytes(headers) : values[name];
      if (value === undefined) continue;
      flags |= 0x8000 >> place;
      if (kind === 'text') parts.push(Buffer.from([value.length]));
      parts.push(kind === 'table' ? counted(value) : value);
    }
    return new EncodedProperties(Buffer.concat([Buffer.from([flags >> 8, flags & 0xff]), ...parts]), 0);
  }

  /** What a property has: of a text its bytes, of all others their octets. Undefined if it is not there. */
  value(name: PropertyName): Buffer | undefined {
    return this.parsed.values.get(name);
  }

  /** All headers that could be read, in their order; of one name there may be several. */
  get entries(): Entry[] {
    const { tableStart, tableEnd } = this.parsed;
    return entriesIn(this.bytes, tableStart, tableEnd);
  }

  /** The headers that are not Hopline's. */
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
    this.known ??= this.parse();
    return this.known;
  }

  private parse(): Parsed {
    const { bytes, start, readTo } = this;
    const flags = bytes.readUInt16BE(start);
    const values = new Map<string, Buffer>();
    let [tableStart, tableEnd] = [0, 0];
    let at = start + FLAGS_BYTES;
    for (const [place, [name, kind]] of PROPERTIES.entries()) {
      if ((flags & (0x8000 >> place)) === 0) continue;
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

/** Of the length that stands before a value. */
const LENGTH_BYTES = { text: 1, table: 4, octet: 0, moment: 0 } as const;
const SIZE = { octet: 1, moment: 8 } as const;

/**
 * What a message was received as. What travels on has it beside its properties: what of these is still what was read goes out
 * in the bytes in which it came.
 */
export interface MessageSource {
  readonly encoded: EncodedProperties;
  /** As they were read. */
  readonly read: MessageProperties;
}

/** The bytes of a property that is still what was read; undefined if it isn't, or was never. */
export function keptProperty(
  source: MessageSource | undefined,
  name: PropertyName,
  value: unknown,
): Buffer | undefined {
  return source && source.read[name] === value ? source.encoded.value(name) : undefined;
}

/** The headers that are still what was read, as they lay on the wire. Ours are none of them: they are written anew. */
export function keptHeaders(
  source: MessageSource,
  headers: Readonly<Record<string, unknown>>,
): EncodedHeader[] {
  const { headers: read = {} } = source.read;
  return source.encoded.headers.filter(({ name }) => Object.is(headers[name], read[name]));
}
