/** A power of two, small enough for the processor's cache. */
const SLOTS = 64;

const NONE = Buffer.alloc(0);

/**
 * Reads strings of up to 255 bytes and remembers them: there are few exchanges, routing keys, types and so on,
 * and comparing bytes costs a fraction of making a string. Each slot holds one string until another replaces
 * it, so strings that are new each time fill no memory.
 */
export class ShortStrings {
  private readonly texts = new Array<string>(SLOTS).fill('');
  private readonly encoded = new Array<Buffer>(SLOTS).fill(NONE);

  /** String whose length is at `at`. */
  read(bytes: Buffer, at: number): string {
    const length = bytes[at] as number;
    if (length === 0) return '';
    const start = at + 1;
    const slot = slotOf(bytes, start, length);
    if (isAt(bytes, start, length, this.encoded[slot] as Buffer)) return this.texts[slot] as string;
    const text = bytes.toString('utf8', start, start + length);
    this.texts[slot] = text;
    // A copy: a view would keep the whole read alive.
    this.encoded[slot] = Buffer.from(bytes.subarray(start, start + length));
    return text;
  }
}

/** From its length and three of its bytes. */
function slotOf(bytes: Buffer, start: number, length: number): number {
  const first = bytes[start] as number;
  const middle = bytes[start + (length >> 1)] as number;
  const last = bytes[start + length - 1] as number;
  return (length * 7 + first * 31 + middle * 5 + last * 17) & (SLOTS - 1);
}

function isAt(bytes: Buffer, start: number, length: number, known: Buffer): boolean {
  if (known.length !== length) return false;
  for (let place = 0; place < length; place += 1) if (bytes[start + place] !== known[place]) return false;
  return true;
}
