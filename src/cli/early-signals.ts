const SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];

/**
 * Collects signals that come before a command is loaded. Process 1 of a container does not get a signal for
 * which it has no listener. (A signal before Node runs any code is lost there; elsewhere it ends the
 * process.)
 */
export class EarlySignals {
  private readonly received: NodeJS.Signals[] = [];
  private readonly onSignal = (signal: NodeJS.Signals) => void this.received.push(signal);

  listen(): void {
    for (const signal of SIGNALS) process.on(signal, this.onSignal);
  }

  /** Hands over the signals that came, and stops listening: the caller listens from now on. */
  take(): readonly NodeJS.Signals[] {
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
    return this.received.splice(0);
  }
}
