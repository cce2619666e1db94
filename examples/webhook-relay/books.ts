import { Account, type Route } from './account.js';
import type { Outcome } from './outcomes.js';
import { Tally } from './tally.js';

/** The books of one run: the account by message, and the tally by handler. */
export class Books {
  readonly account: Account;
  readonly tally: Tally;
  private onRecord: () => void = () => {};

  constructor(
    routes: readonly Route[],
    knownHandlers: readonly { readonly queue: string; readonly handler: string }[],
  ) {
    this.account = new Account(routes);
    this.tally = new Tally(knownHandlers);
  }

  readonly published = (messageId: string, at: number): void => this.account.published(messageId, at);

  readonly record = (outcome: Outcome): void => {
    if (outcome.kind === 'retried') {
      if (this.account.knows(outcome.messageId)) this.tally.retried(outcome);
      return;
    }
    const latencyMs = this.account.record(outcome);
    if (latencyMs !== undefined) this.tally.ended(outcome, latencyMs);
    this.onRecord();
  };

  /** Resolves when every message has ended in every queue that takes it. For when nothing more is offered. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.onRecord = () => {
        const { expected, settled } = this.account.progress;
        if (settled >= expected) resolve();
      };
      this.onRecord();
    });
  }
}
