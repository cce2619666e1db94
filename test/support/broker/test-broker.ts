/** A real RabbitMQ for the tests of one run. Tests share it, so they own their names and clean up behind themselves. */
export interface TestBroker {
  /** Where it came from. An `external` one belongs to somebody else: it is never faulted and never stopped. */
  readonly kind: 'external' | 'container' | 'process';

  /** With credentials that may do everything in the URL's virtual host. */
  readonly url: string;

  /** As the server itself gives it, such as `3.10.8`. */
  readonly version: string;

  /**
   * Runs `rabbitmqctl --quiet` with these arguments and resolves with what it printed. Absent for an external broker.
   * About a second a call.
   *
   * @throws Error with the command's output if it fails
   */
  ctl?(...args: string[]): Promise<string>;

  /** Ends what was started for this broker, and removes it; nothing for an external one. May be called again. */
  stop(): Promise<void>;
}
