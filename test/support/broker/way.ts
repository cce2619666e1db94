import type { TestBroker } from './test-broker.js';

/** One of the ways in which a test run can get a broker. */
export interface Way {
  /** How messages call it. */
  readonly name: string;

  /** What somebody does to get it, as a sentence: part of the error when no way works. */
  readonly remedy: string;

  /**
   * A running broker, or why this way is not open here; the next way is tried then.
   *
   * @throws Error if the way is open but broken: going on would hide what the developer has to repair
   */
  provide(): Promise<TestBroker | Declined>;
}

/** "Not this way": the reason completes a sentence, such as `AMQP_URL is not set`. */
export class Declined {
  constructor(readonly reason: string) {}
}
