import { randomBytes } from 'node:crypto';
import type { Clock } from '../../util/clock.js';

/** What somebody has written for a message, and what is wrong with it. */
export interface Draft {
  /** Path of its message: a draft is of no other. */
  readonly message: string;
  readonly body: string;
  readonly headers: string;
  readonly problems: readonly string[];
}

const KEPT_MS = 15 * 60_000;
const MOST_CHARACTERS = 16 * 1024 * 1024;
const MOST = 100;

/** Edited messages that could not be sent, until their writer has mended them: the address of the form names them by a word that nobody can guess. */
export class Drafts {
  private readonly kept = new Map<string, { readonly draft: Draft; readonly until: number }>();
  private characters = 0;

  constructor(private readonly clock: Clock) {}

  /** @returns word for the address */
  keep(draft: Draft): string {
    const word = randomBytes(16).toString('base64url');
    this.kept.set(word, { draft, until: this.clock.monotonic() + KEPT_MS });
    this.characters += sizeOf(draft);
    for (const [each, { until }] of this.kept) {
      const isFull = this.kept.size > MOST || this.characters > MOST_CHARACTERS;
      if (until <= this.clock.monotonic() || (isFull && each !== word)) this.drop(each);
    }
    return word;
  }

  of(word: string, message: string): Draft | undefined {
    const { draft, until = 0 } = this.kept.get(word) ?? {};
    return draft?.message === message && until > this.clock.monotonic() ? draft : undefined;
  }

  private drop(word: string): void {
    const dropped = this.kept.get(word);
    if (dropped) this.characters -= sizeOf(dropped.draft);
    this.kept.delete(word);
  }
}

const sizeOf = ({ body, headers, problems }: Draft): number =>
  body.length + headers.length + problems.reduce((sum, { length }) => sum + length, 0);
