import { systemClock, type Timer } from '../util/clock.js';
import type { ToWorker } from './protocol.js';
import type { WorkerProcess } from './worker-process.js';

/** The part of a worker process that a slot needs. */
export type SlotProcess = Pick<WorkerProcess, 'pid' | 'send' | 'kill'>;

/** A process in a slot, from its start to its end. */
export class Occupant {
  /** True from the order to stop on, and for a process that stops by itself: its end is no crash. */
  isEnding = false;
  /** True once it has sent a message: it listens then, and stops in order when it is ordered to. */
  hasSpoken = false;
  /** True once it has loaded the application. */
  isLoaded = false;
  /** True once it has reached a limit, and is to be replaced. */
  isRetiring = false;
  /** True once it has reported that it can't run. */
  isRefused = false;
  private killTimer: Timer | undefined;
  private readonly lateTimer: Timer;

  /**
   * @param lateAfterMs time after which `onLate` is called if the process is not ready
   */
  constructor(
    private readonly process: SlotProcess,
    lateAfterMs: number,
    onLate: () => void,
  ) {
    this.lateTimer = systemClock.setTimer(onLate, lateAfterMs);
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  send(message: ToWorker): void {
    this.process.send(message);
  }

  ready(): void {
    this.lateTimer.cancel();
  }

  /** Orders the process to stop, once; after `killAfterMs` it is killed, and `onKill` is called. */
  stop(killAfterMs: number, onKill: () => void): void {
    if (this.isEnding) return;
    this.isEnding = true;
    this.process.send('stop');
    this.killTimer = systemClock.setTimer(() => {
      onKill();
      this.process.kill();
    }, killAfterMs);
  }

  kill(): void {
    this.process.kill();
  }

  /** Called when the process has ended. */
  exited(): void {
    this.lateTimer.cancel();
    this.killTimer?.cancel();
  }
}
