import type { PlannedHandler } from '../../pipeline/handler.js';
import type { Work } from '../../pipeline/work.js';
import type { CrashWatch } from '../attempt/crash-watch.js';
import { SUSPECT_AFTER } from './prefetch-window.js';

interface Parked {
  readonly leave: () => void;
  hasLeft: boolean;
  /** Called with true once it has a slot again; undefined while it waits for something else. */
  onSlot?: (hasSlot: boolean) => void;
}

/** Work that has begun and given its slot back, until it can go on. */
export class ParkedWork {
  private readonly all = new Map<Work, Parked>();
  private readonly inLanes: number[];
  /** Work that waits for nothing but a slot, the first first. */
  private readonly ready = new Set<Work>();

  constructor(lanes: number) {
    this.inLanes = new Array<number>(lanes).fill(0);
  }

  get size(): number {
    return this.all.size;
  }

  get hasReady(): boolean {
    return this.ready.size > 0;
  }

  inLane(lane: number): number {
    return this.inLanes[lane] ?? 0;
  }

  ofLane(lane: number): Work[] {
    return [...this.all.keys()].filter((work) => work.lane === lane);
  }

  add(work: Work, leave: () => void): void {
    this.all.set(work, { leave, hasLeft: false });
    this.inLanes[work.lane] = this.inLane(work.lane) + 1;
  }

  /** True if it was here, and so holds no slot. */
  remove(work: Work): boolean {
    if (!this.all.delete(work)) return false;
    this.ready.delete(work);
    this.inLanes[work.lane] = this.inLane(work.lane) - 1;
    return true;
  }

  /** True if it was told to leave. */
  hasLeft(work: Work): boolean {
    return this.all.get(work)?.hasLeft !== false;
  }

  /** Resolves with true when {@link takeReady} has taken it, false if it leaves. */
  waitForSlot(work: Work): Promise<boolean> {
    const parked = this.all.get(work);
    if (!parked || parked.hasLeft) return Promise.resolve(false);
    this.ready.add(work);
    return new Promise((resolve) => {
      parked.onSlot = resolve;
    });
  }

  /** Takes out the first that waits for a slot and whose handler has room. The caller gives it one. */
  takeReady(hasRoom: (handler: PlannedHandler) => boolean): Work | undefined {
    for (const work of this.ready) {
      if (work.match && !hasRoom(work.match.handler)) continue;
      const onSlot = this.all.get(work)?.onSlot;
      this.remove(work);
      onSlot?.(true);
      return work;
    }
    return undefined;
  }

  /** Tells all for which `test` is true to leave. They stay here until they have ended. */
  evict(test: (work: Work) => boolean): void {
    for (const [work, parked] of [...this.all]) {
      if (parked.hasLeft || !test(work)) continue;
      parked.hasLeft = true;
      this.ready.delete(work);
      parked.onSlot?.(false);
      parked.leave();
    }
  }
}

/** False for what may have killed its process: while it is here, all else of its lane, or of the process, waits for it. */
export const mayPark = ({ received }: Work, crashWatch: CrashWatch | undefined): boolean =>
  !received.redelivered || (crashWatch === undefined && received.delivery.deliveryCount < SUSPECT_AFTER);
