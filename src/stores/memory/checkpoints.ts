import type { Clock } from '../../util/clock.js';
import type { CheckpointStore } from '../checkpoints.js';
import { ExpiringMap } from './expiring-map.js';

interface Checkpoint {
  readonly state: string;
  readonly fence: number;
}

export class MemoryCheckpoints implements CheckpointStore {
  private readonly checkpoints: ExpiringMap<Checkpoint>;

  constructor(clock: Clock) {
    this.checkpoints = new ExpiringMap(clock);
  }

  async load(key: string): Promise<string | undefined> {
    return this.checkpoints.get(key)?.value.state;
  }

  async save(key: string, state: string, fence: number, keepMs: number): Promise<boolean> {
    const known = this.checkpoints.get(key);
    if (known && known.value.fence > fence) return false;
    this.checkpoints.set(key, { state, fence }, keepMs);
    return true;
  }

  async forget(key: string): Promise<void> {
    this.checkpoints.delete(key);
  }
}
