import type { Clock } from '../../util/clock.js';
import type { SequenceStore } from '../sequences.js';
import { ExpiringMap } from './expiring-map.js';

interface Sequence {
  readonly given: number;
  readonly latest: number;
}

const EMPTY: Sequence = { given: 0, latest: 0 };

export class MemorySequences implements SequenceStore {
  private readonly sequences: ExpiringMap<Sequence>;

  constructor(private readonly clock: Clock) {
    this.sequences = new ExpiringMap(clock);
  }

  async next(key: string, keepMs: number): Promise<number> {
    const { given, latest } = this.of(key);
    const number = Math.max(Math.floor(this.clock.now() * 1_000), given + 1, latest + 1);
    this.set(key, { given: number, latest }, keepMs);
    return number;
  }

  async advance(key: string, number: number, keepMs: number): Promise<boolean> {
    const { given, latest } = this.of(key);
    this.set(key, { given, latest: Math.max(latest, number) }, keepMs);
    return number >= latest;
  }

  private of(key: string): Sequence {
    return this.sequences.get(key)?.value ?? EMPTY;
  }

  private set(key: string, sequence: Sequence, keepMs: number): void {
    this.sequences.set(key, sequence, Math.max(keepMs, this.sequences.get(key)?.leftMs ?? 0));
  }
}
