/** One that waits for its answer. */
interface Asked<Item, Answer> {
  readonly item: Item;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** Calls under way at once: the next list grows meanwhile. */
const MOST_UNDER_WAY = 2;

/** Asks together what is asked for within one turn of the event loop, or while earlier calls are under way. */
export class Coalesced<Item, Answer> {
  private waiting: Asked<Item, Answer>[] = [];
  private underWay = 0;
  private isScheduled = false;

  /**
   * @param ask answers a list in its order; if it rejects, all of the list are
   * @param atMost longest list
   * @param atOnce calls under way at once
   */
  constructor(
    private readonly ask: (items: readonly Item[]) => Promise<readonly Answer[]>,
    private readonly atMost: number,
    private readonly atOnce = MOST_UNDER_WAY,
  ) {}

  /** True if nothing waits for an answer. */
  get isIdle(): boolean {
    return this.underWay === 0 && this.waiting.length === 0;
  }

  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.isScheduled || this.underWay >= this.atOnce) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.next();
    });
  }

  private next(): void {
    while (this.waiting.length > 0 && this.underWay < this.atOnce)
      void this.call(this.waiting.splice(0, this.atMost));
  }

  /** Never rejects. */
  private async call(asked: readonly Asked<Item, Answer>[]): Promise<void> {
    this.underWay += 1;
    try {
      const answers = await this.ask(asked.map(({ item }) => item));
      for (const [index, each] of asked.entries()) each.resolve(answers[index] as Answer);
    } catch (error) {
      for (const each of asked) each.reject(error);
    } finally {
      this.underWay -= 1;
      if (this.waiting.length > 0) this.schedule();
    }
  }
}
