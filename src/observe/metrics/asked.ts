/** Time after which an answer is no longer waited for: a scrape has a timeout of its own, and other figures to bring. */
const WITHIN_MS = 1_000;

/** A question that takes a request. While it is not answered it is not asked again. */
export class Asked<Answer> {
  private underWay: Promise<Answer> | undefined;
  /** Answer that came too late, for the next call: else whoever always needs longer would never be heard. */
  private kept: { readonly answer: Answer } | undefined;

  constructor(
    private readonly ask: () => Promise<Answer>,
    private readonly withinMs = WITHIN_MS,
  ) {}

  /**
   * The answer, or the one to the last call if that was too late and this one is, too.
   *
   * @throws what the question throws; Error if there is neither in time
   */
  async answer(): Promise<Answer> {
    const { kept } = this;
    this.underWay ??= this.begun();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Answer>((resolve, reject) => {
      timer = setTimeout(() => {
        if (kept) resolve(kept.answer);
        else reject(new Error(`no answer within ${this.withinMs} ms`));
      }, this.withinMs);
    });
    try {
      return await Promise.race([this.underWay, late]);
    } finally {
      clearTimeout(timer);
      this.kept = undefined;
    }
  }

  private async begun(): Promise<Answer> {
    try {
      const answer = await this.ask();
      this.kept = { answer };
      return answer;
    } finally {
      this.underWay = undefined;
    }
  }
}
