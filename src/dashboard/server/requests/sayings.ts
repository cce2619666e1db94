import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../util/clock.js';

const KEPT_MS = 600_000;
const MAX_KEPT = 500;

/**
 * What actions have said, until the page that follows shows it. It is not in the address itself: a link of somebody else's could then
 * have the dashboard say anything.
 */
export class Sayings {
  private readonly kept = new Map<string, { readonly text: string; readonly until: number }>();

  constructor(private readonly clock: Clock) {}

  /** @returns word for the address */
  keep(text: string): string {
    const word = randomBytes(9).toString('base64url');
    const [first] = this.kept.keys();
    if (this.kept.size >= MAX_KEPT && first !== undefined) this.kept.delete(first);
    this.kept.set(word, { text, until: this.clock.monotonic() + KEPT_MS });
    return word;
  }

  /** Undefined for a word that is none, or was one long ago. */
  of(word: string | null): string | undefined {
    const { text, until = 0 } = this.kept.get(word ?? '') ?? {};
    return until > this.clock.monotonic() ? text : undefined;
  }
}
