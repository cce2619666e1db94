/** Time after which an answer is no longer waited for: a scrape has a timeout of its own, and other figures to bring. */
const WITHIN_MS = 1_000;

/** A question that takes a request. While it is not answered it is not asked again. */
export class Asked<Answer> {
  private underWay: Promise<Answer> | undefined;

  constructor(private readonly ask: () => Promise<Answer>) {}

  /** @throws what the question throws; Error if the answer doesn't come in time */
  async answer(): Promise<Answer> {
    this.underWay ??= this.ask().finally(() => {
      this.underWay = undefined;
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${WITHIN_MS} ms`)), WITHIN_MS);
    });
    try {
      return await Promise.race([this.underWay, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
