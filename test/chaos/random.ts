import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random choices: the same seed gives the same choices, in the same order. */
export class Choices {
  private readonly generator;

  constructor(seed: number) {
    this.generator = xoroshiro128plus(seed);
  }

  /** From `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return uniformInt(this.generator, least, most);
  }

  /** One of these, in proportion to its weight. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.entries(weights) as [Name, number][];
    let left = this.integer(
      1,
      names.reduce((sum, [, weight]) => sum + weight, 0),
    );
    for (const [name, weight] of names) {
      left -= weight;
      if (left <= 0) return name;
    }
    throw new Error('the weights are not positive integers');
  }
}
