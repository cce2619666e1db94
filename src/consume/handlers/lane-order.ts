/** Order in which lanes get a free slot. */
export interface LaneOrder {
  /** @param waiting positions of the lanes with work that can start, ascending; never empty */
  next(waiting: readonly number[]): number;
}

/** The first lane of the list that has work: a lower lane starts only while no higher one waits, and may starve. */
export const strictOrder: LaneOrder = { next: (waiting) => waiting[0] as number };

/**
 * Lanes by weight, spread evenly (smooth weighted round robin): while all lanes have work, a lane of weight w starts
 * w of every `sum of weights` messages. Only lanes with work take part, so no slot is wasted on an empty lane; and an
 * empty lane saves nothing up, so that it can't shut the others out when it fills.
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
    // The served lane pays what the others were given: credits add up to 0 and stay small.
    this.credits[best] = this.creditOf(best) - shared;
    return best;
  }

  private creditOf(lane: number): number {
    return this.credits[lane] as number;
  }
}
