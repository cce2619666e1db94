interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Maximum items that leave together. */
const MOST_TOGETHER = 250;

/**
 * Gathers what is to be sent: while one round trip is under way, what comes waits for the next. So a busy process pays for few, and an
 * idle one waits for none.
 */
export class Gathered<Item, Answer> {
  private waiting: Waiting<Item, Answer>[] = [];
  private isUnderWay = false;

  /** @param send resolves with an answer for each item, in their order */
  constructor(private readonly send: (items: readonly Item[]) => Promise<readonly Answer[]>) {}

  /** Resolves with the item's answer. @throws what `send` throws */
  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      // What else this turn of the event loop has to say goes with it.
      if (this.waiting.length === 1 && !this.isUnderWay) setImmediate(() => void this.leave());
    });
  }

  private async leave(): Promise<void> {
    this.isUnderWay = true;
    while (this.waiting.length > 0) await this.sendSome(this.waiting.splice(0, MOST_TOGETHER));
    this.isUnderWay = false;
  }

  /** Never rejects. */
  private async sendSome(some: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.send(some.map(({ item }) => item));
      for (const [index, { resolve }] of some.entries()) resolve(answers[index] as Answer);
    } catch (error) {
      for (const { reject } of some) reject(error);
    }
  }
}
