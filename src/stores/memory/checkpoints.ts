import type { Clock } from '../../util/clock.js';
import type { CheckpointStore } from '../checkpoints.js';
import { ExpiringMap } from './expiring-map.js';

export class MemoryCheckpoints implements CheckpointStore {
  private readonly states: ExpiringMap<{ readonly state: string; readonly fence: number }>;

  constructor(clock: Clock) {
    this.states = new ExpiringMap(clock);
  }

  async load(key: string): Promise<string | undefined> {
    return this.states.get(key)?.value.state;
  }

  async save(key: string, state: string, fence: number, keepMs: number): Promise<boolean> {
    const known = this.states.get(key)?.value;
    if (known && known.fence > fence) return false;
    this.states.set(key, { state, fence }, keepMs);
    return true;
  }

  async forget(key: string): Promise<void> {
    this.states.delete(key);
  }
}
