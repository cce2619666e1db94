import type { Clock } from '../../util/clock.js';
import type { UniqueStore } from '../unique.js';
import { ExpiringMap } from './expiring-map.js';

interface Sequence {
  readonly given: number;
  readonly latest: number;
}

const EMPTY: Sequence = { given: 0, latest: 0 };

export class MemoryUnique implements UniqueStore {
  private readonly owners: ExpiringMap<string>;
  private readonly sequences: ExpiringMap<Sequence>;

  constructor(private readonly clock: Clock) {
    this.owners = new ExpiringMap(clock);
    this.sequences = new ExpiringMap(clock);
  }

  async acquire(key: string, owner: string, forMs: number): Promise<string | undefined> {
    const known = this.owners.get(key);
    if (known && known.value !== owner) return known.value;
    this.owners.set(key, owner, Math.max(forMs, known?.leftMs ?? 0));
    return undefined;
  }

  async extend(key: string, owner: string, forMs: number): Promise<boolean> {
    const known = this.owners.get(key);
    if (known?.value !== owner) return false;
    this.owners.set(key, owner, Math.max(forMs, known.leftMs));
    return true;
  }

  async release(key: string, owner: string): Promise<void> {
    if (this.owners.get(key)?.value === owner) this.owners.delete(key);
  }

  async next(key: string, keepMs: number): Promise<number> {
    const { given, latest } = this.sequenceOf(key);
    const number = Math.max(Math.floor(this.clock.now() * 1_000), given + 1, latest + 1);
    this.keep(key, { given: number, latest }, keepMs);
    return number;
  }

  async advance(key: string, number: number, keepMs: number): Promise<boolean> {
    const { given, latest } = this.sequenceOf(key);
    this.keep(key, { given, latest: Math.max(latest, number) }, keepMs);
    return number >= latest;
  }

  private sequenceOf(key: string): Sequence {
    return this.sequences.get(key)?.value ?? EMPTY;
  }

  private keep(key: string, sequence: Sequence, keepMs: number): void {
    this.sequences.set(key, sequence, Math.max(keepMs, this.sequences.get(key)?.leftMs ?? 0));
  }
}
