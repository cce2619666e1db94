import type { DeadLetter } from '../../failures/letters/dead-letter.js';

/** Copies of a dead letter in one queue: one, unless the message has duplicates. */
export type Copies = readonly DeadLetter[];

/** Letters that were read lately, up to a number of bytes; those that nobody has looked at for longest go first. */
export class LetterCache {
  private readonly kept = new Map<string, { readonly copies: Copies; readonly bytes: number }>();
  private bytes = 0;

  constructor(private readonly maxBytes: number) {}

  has(deadQueue: string, id: string): boolean {
    return this.kept.has(keyOf(deadQueue, id));
  }

  get(deadQueue: string, id: string): Copies | undefined {
    const key = keyOf(deadQueue, id);
    const found = this.kept.get(key);
    if (!found) return undefined;
    this.kept.delete(key);
    this.kept.set(key, found);
    return found.copies;
  }

  set(deadQueue: string, id: string, copies: Copies): void {
    this.forget(deadQueue, id);
    const bytes = copies.reduce((sum, letter) => sum + sizeOf(letter), 0);
    this.kept.set(keyOf(deadQueue, id), { copies, bytes });
    this.bytes += bytes;
    // The newest stays even if it alone is too large: it is what somebody waits for.
    for (const [key, each] of this.kept) {
      if (this.bytes <= this.maxBytes || this.kept.size === 1) return;
      this.kept.delete(key);
      this.bytes -= each.bytes;
    }
  }

  forget(deadQueue: string, id: string): void {
    const key = keyOf(deadQueue, id);
    this.bytes -= this.kept.get(key)?.bytes ?? 0;
    this.kept.delete(key);
  }
}

const keyOf = (deadQueue: string, id: string): string => `${deadQueue}\n${id}`;

/** Headers are bounded by the client's frame; what else a letter has is small beside this. */
const BESIDE_BODY = 4_096;

const sizeOf = ({ bytes, stack, error }: DeadLetter): number =>
  bytes + BESIDE_BODY + 2 * ((stack?.length ?? 0) + (error?.length ?? 0));
