import type { Generations, Overlap } from '../../../topology/generations.js';

/** How often it is read whether a queue goes on that is held back: a process may hear no operators. */
const READ_AGAIN_MS = 5_000;

export interface StandingQueueOptions {
  readonly queue: string;
  /** Undefined for a queue that is never migrated. */
  readonly generations?: Pick<Generations, 'of' | 'certain' | 'refresh' | 'followers'> | undefined;
  /** Consumed for an operator, and only for a while: it is neither held back, nor told of changes. */
  readonly once: boolean;
}

/** What stands in the broker for the queue of one consumer, which changes while the queue is migrated. */
export class StandingQueue {
  private taken: { readonly name: string; readonly overlap: Overlap | undefined } | undefined;
  private isHeldBack = false;
  private readAgain: NodeJS.Timeout | undefined;

  /** @param onAnother called when the consumer is to consume anew, by {@link isAnother} */
  constructor(
    private readonly options: StandingQueueOptions,
    private readonly onAnother: () => void,
  ) {
    if (!options.once) options.generations?.followers.add(this.follow);
  }

  /** Resolves when nothing that a lost connection may have kept from us is unknown. @throws ConnectError */
  async certain(): Promise<void> {
    await this.options.generations?.certain();
  }

  /** Name of what is to be consumed now; undefined while nothing is to be. */
  take(): string | undefined {
    const { queue, generations, once } = this.options;
    const its = generations?.of(queue);
    this.isHeldBack = its?.isHeld === true && !once;
    if (this.isHeldBack) {
      this.read();
      return undefined;
    }
    this.taken = { name: its?.name ?? queue, overlap: its?.overlap };
    return this.taken.name;
  }

  /** Called when nothing is to be consumed for another reason: nobody waits then for what is held back. */
  leave(): undefined {
    clearTimeout(this.readAgain);
    this.isHeldBack = false;
    return undefined;
  }

  /** True for a message that isn't handed on: the next generation has it as well. */
  drops(delivery: { readonly properties: { readonly messageId?: string } }): boolean {
    return this.taken?.overlap?.drops(delivery.properties) === true;
  }

  /**
   * True if what is to be consumed is another than what is, or was last. While nothing is to be, whoever asked for the consumer is told of
   * that, and leaves what it has in its own time.
   */
  get isAnother(): boolean {
    const { taken, isHeldBack } = this;
    const { queue, generations } = this.options;
    const its = generations?.of(queue);
    if (its?.isHeld) return false;
    if (isHeldBack) return true;
    if (!taken) return false;
    return (
      taken.name !== (its?.name ?? queue) || (taken.overlap === undefined) !== (its?.overlap === undefined)
    );
  }

  end(): void {
    this.leave();
    this.options.generations?.followers.delete(this.follow);
  }

  private readonly follow = (): void => {
    if (this.isAnother) this.onAnother();
  };

  private read(): void {
    clearTimeout(this.readAgain);
    this.readAgain = setTimeout(() => {
      if (!this.isHeldBack) return;
      this.read();
      void this.options.generations?.refresh();
    }, READ_AGAIN_MS);
    this.readAgain.unref();
  }
}
