/*
 * Properties and headers with the tags that they had on the wire, so that a test can tell an int32 from an int64 of the same
 * value, and bytes that are no UTF-8 from what stands in for them. Each value is a text, `tag:value`, that no other value has.
 */

/** What the wire says of one message. */
export interface TaggedProperties {
  /** All but the headers, by name. */
  readonly properties: Readonly<Record<string, string>>;
  /** In their order; a table may hold a name twice. */
  readonly headers: readonly TaggedHeader[];
}

export interface TaggedHeader {
  readonly name: string;
  /** As `I:5`, `S:text`, `S:0x80ff` for what is no UTF-8, `F:{a=t:true}`, `A:[V]`. */
  readonly value: string;
}

/** In the order of their flags, from the highest bit down (AMQP 0-9-1, section 4.2.6.1). */
export const PROPERTIES = [
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
] as const;

/** Class, weight and size of the body lie before the flags. */
const BEFORE_FLAGS = 12;

/** @param payload of a content header frame */
export function taggedProperties(payload: Buffer): TaggedProperties {
  const flags = payload.readUInt16BE(BEFORE_FLAGS);
  const reader = new TaggedReader(payload, BEFORE_FLAGS + 2);
  const properties: Record<string, string> = {};
  let headers: TaggedHeader[] = [];
  for (const [place, [name, kind]] of PROPERTIES.entries()) {
    if ((flags & (0x8000 >> place)) === 0) continue;
    if (kind === 'table') headers = reader.table();
    else if (kind === 'text') properties[name] = textOf(reader.bytes(reader.octet()));
    else properties[name] = String(kind === 'octet' ? reader.octet() : reader.unsigned(8));
  }
  if (!reader.isAtEnd) throw new Error('there is more in the content header than its flags say');
  return { properties, headers };
}

/** Reads forward. */
class TaggedReader {
  constructor(
    private readonly all: Buffer,
    private at: number,
  ) {}

  get isAtEnd(): boolean {
    return this.at === this.all.length;
  }

  bytes(count: number): Buffer {
    if (this.at + count > this.all.length) throw new Error('a value is longer than what holds it');
    this.at += count;
    return this.all.subarray(this.at - count, this.at);
  }

  octet(): number {
    return this.bytes(1).readUInt8();
  }

  unsigned(bytes: 2 | 4 | 8): bigint {
    return BigInt(`0x${this.bytes(bytes).toString('hex')}`);
  }

  table(): TaggedHeader[] {
    const inside = this.inside();
    const headers: TaggedHeader[] = [];
    while (!inside.isAtEnd)
      headers.push({ name: textOf(inside.bytes(inside.octet())), value: inside.value() });
    return headers;
  }

  private list(): string[] {
    const inside = this.inside();
    const values: string[] = [];
    while (!inside.isAtEnd) values.push(inside.value());
    return values;
  }

  private inside(): TaggedReader {
    return new TaggedReader(this.long(), 0);
  }

  /** What is preceded by a length of four octets. */
  private long(): Buffer {
    return this.bytes(Number(this.unsigned(4)));
  }

  private value(): string {
    const tag = String.fromCharCode(this.octet());
    const read = VALUES[tag];
    if (!read) throw new Error(`a value has the tag '${tag}', which RabbitMQ does not have`);
    const value = read(this);
    return value === '' && tag === 'V' ? tag : `${tag}:${value}`;
  }

  /** Of each tag that RabbitMQ has: https://www.rabbitmq.com/docs/amqp-0-9-1-errata#section_3 */
  static readonly READ = {
    t: (reader) => String(reader.octet() !== 0),
    b: (reader) => String(reader.bytes(1).readInt8()),
    B: (reader) => String(reader.octet()),
    s: (reader) => String(reader.bytes(2).readInt16BE()),
    u: (reader) => String(reader.unsigned(2)),
    I: (reader) => String(reader.bytes(4).readInt32BE()),
    i: (reader) => String(reader.unsigned(4)),
    l: (reader) => String(reader.bytes(8).readBigInt64BE()),
    // By their bits, as no number says which NaN it is.
    f: (reader) => floatOf(reader.bytes(4), (bytes) => bytes.readFloatBE()),
    d: (reader) => floatOf(reader.bytes(8), (bytes) => bytes.readDoubleBE()),
    D: (reader) => `${reader.octet()},${reader.bytes(4).readInt32BE()}`,
    S: (reader) => textOf(reader.long()),
    x: (reader) => `0x${reader.long().toString('hex')}`,
    T: (reader) => String(reader.unsigned(8)),
    V: () => '',
    A: (reader) => `[${reader.list().join(', ')}]`,
    F: (reader) => `{${reader.table().map(textOfHeader).join(', ')}}`,
  } satisfies Record<string, (reader: TaggedReader) => string>;
}

const VALUES: Readonly<Record<string, ((reader: TaggedReader) => string) | undefined>> = TaggedReader.READ;

/** As it is printed in differences. */
export const textOfHeader = ({ name, value }: TaggedHeader): string => `${name}=${value}`;

function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : `0x${bytes.toString('hex')}`;
}

const floatOf = (bytes: Buffer, read: (bytes: Buffer) => number): string =>
  `${read(bytes)} (0x${bytes.toString('hex')})`;
