import type { Clock } from '../../util/clock.js';

/** A pass that takes long is made as many times its own duration later: reading must not be all that the broker does. */
const TIMES = 10;

/** What is known of one queue's passes, and whether another is due. */
export class QueueWatch {
  private endedAt: number | undefined;
  private tookMs = 0;
  /** By how many letters the queue differed from the index when it was last counted. */
  private difference = 0;
  private differs = false;

  /** @param leastMs time between two passes that nobody has forced */
  constructor(
    private readonly clock: Pick<Clock, 'monotonic'>,
    private readonly leastMs: number,
  ) {}

  /** True once the queue was found to hold other letters than the index. */
  get isStale(): boolean {
    return this.differs;
  }

  get wasRead(): boolean {
    return this.endedAt !== undefined;
  }

  /**
   * A difference counts if it is there twice, in the same direction: a notice may be on its way, and while somebody reads the queue its
   * letters are not counted.
   *
   * @param wasDeaf true if no notice could have told of it: then once will do
   */
  counted(difference: number, wasDeaf = false): void {
    const isConfirmed = wasDeaf || Math.sign(difference) === Math.sign(this.difference);
    this.differs = difference !== 0 && isConfirmed;
    this.difference = difference;
  }

  /** True if the queue has to be read. */
  get isDue(): boolean {
    if (this.endedAt === undefined) return true;
    return (
      this.differs && this.clock.monotonic() - this.endedAt >= Math.max(this.leastMs, TIMES * this.tookMs)
    );
  }

  read(beganAt: number): void {
    this.endedAt = this.clock.monotonic();
    this.tookMs = this.endedAt - beganAt;
    this.difference = 0;
    this.differs = false;
  }
}
