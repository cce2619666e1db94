import { percentile } from '../../test/support/lateness.js';

/** How long answers took, in milliseconds. */
export interface Times {
  readonly median: number;
  readonly p99: number;
  readonly bytes: number;
}

/** Reads an address again and again, one after the other, each to its end. @throws Error if one is not answered with 200 */
export async function timesOf(address: string, count: number): Promise<Times> {
  const times: number[] = [];
  let bytes = 0;
  for (let place = 0; place < count; place += 1) {
    const began = performance.now();
    const text = await read(address);
    times.push(performance.now() - began);
    bytes = Buffer.byteLength(text);
  }
  times.sort((one, other) => one - other);
  return { median: percentile(times, 0.5), p99: percentile(times, 0.99), bytes };
}

/** The document at an address. @throws Error if it is not there */
export async function read(address: string): Promise<string> {
  const response = await fetch(address);
  const text = await response.text();
  if (response.status !== 200)
    throw new Error(`${address} answered ${response.status}: ${text.slice(0, 200)}`);
  return text;
}

/** Somebody who leaves a page open: while one does, the dashboard looks as often as it ever does. */
export class Follower {
  /** Models that have come. */
  events = 0;

  private constructor(private readonly reader: ReadableStreamDefaultReader<Uint8Array>) {
    // It ends by being left, or with the dashboard: the count says which.
    this.count().catch(() => {});
  }

  /** @throws Error if the stream is refused */
  static async of(address: string): Promise<Follower> {
    const { status, body } = await fetch(address, { headers: { accept: 'text/event-stream' } });
    if (status !== 200 || !body) throw new Error(`${address} answered ${status}`);
    return new Follower(body.getReader());
  }

  leave(): Promise<void> {
    return this.reader.cancel();
  }

  private async count(): Promise<void> {
    const decoder = new TextDecoder();
    for (let part = await this.reader.read(); !part.done; part = await this.reader.read())
      this.events += decoder.decode(part.value, { stream: true }).split(/^data:/m).length - 1;
  }
}
