/** Says which lane's work starts next, when there is room for one. */
export interface LaneOrder {
  /** @param waiting lanes with work that can start, by their places in the list, ascending; never empty */
  next(waiting: readonly number[]): number;
}

/** The first of the list that has something: a lower one starts only when no higher one waits, and may starve. */
export const strictOrder: LaneOrder = { next: (waiting) => waiting[0] as number };

/**
 * Shares by weight, spread evenly (smooth weighted round robin): while all lanes have work, a lane of weight w starts w
 * of every `sum of weights`. Only lanes that have work take part, so that no room is wasted on an empty one; and an
 * empty one saves nothing up, so that it can't shut the others out when it fills.
 */
export class WeightedOrder implements LaneOrder {
  private readonly credits: number[];

  constructor(private readonly weights: readonly number[]) {
    this.credits = weights.map(() => 0);
  }

  next(waiting: readonly number[]): number {
    let best = waiting[0] as number;
    let shared = 0;
    for (const lane of waiting) {
      const weight = this.weights[lane] as number;
      shared += weight;
      this.credits[lane] = this.creditOf(lane) + weight;
      if (this.creditOf(lane) > this.creditOf(best)) best = lane;
    }
    // What the one that is served pays is what the others got: credits add up to 0 and stay small.
    this.credits[best] = this.creditOf(best) - shared;
    return best;
  }

  private creditOf(lane: number): number {
    return this.credits[lane] as number;
  }
}
