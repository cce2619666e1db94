import { randomUUID } from 'node:crypto';
import { HEADER, textIn } from '../../message/headers.js';
import type { Headers } from '../../message/properties.js';

/** Names the runs that replays begin, and knows them again: a message that has failed once more since it was replayed has its run's name. */
export class Runs {
  private readonly prefix = `${randomUUID()}.`;
  private count = 0;

  next(): string {
    this.count += 1;
    return `${this.prefix}${this.count}`;
  }

  /** True for a message that has been replayed under one of these names. */
  hasBegun(headers: Headers): boolean {
    return textIn(headers, HEADER.run)?.startsWith(this.prefix) === true;
  }
}
