const SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];

/**
 * What a command is told by signals before it is loaded. Process 1 of a container doesn't get a signal at all that it has
 * no listener for. (What comes before Node runs any code is lost there; elsewhere it ends the process.)
 */
export class EarlySignals {
  private readonly received: NodeJS.Signals[] = [];
  private readonly onSignal = (signal: NodeJS.Signals) => void this.received.push(signal);

  listen(): void {
    for (const signal of SIGNALS) process.on(signal, this.onSignal);
  }

  /** Those that came, to somebody who listens from now on. */
  take(): readonly NodeJS.Signals[] {
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
    return this.received.splice(0);
  }
}
