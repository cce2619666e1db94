import type { Alert } from '../../../observe/alerts/alert.js';
import type { Snapshot } from '../../../observe/alerts/measuring/snapshot.js';
import { readRules } from '../../../observe/alerts/rules/read-rules.js';
import type { Rule } from '../../../observe/alerts/rules/rule.js';
import { Board } from '../../../observe/alerts/state/board.js';

/** What is wrong now, by the rules of alerts. Nobody is told: whoever asks sees it. */
export class AlertsNow {
  private readonly board: Board;
  private readonly firing = new Map<string, Alert>();

  constructor(rules: readonly Rule[] = readRules([], true).rules) {
    this.board = new Board(rules, Number.POSITIVE_INFINITY);
  }

  /** @param now wall-clock milliseconds */
  take(snapshot: Snapshot, now: number): void {
    for (const alert of this.board.take(snapshot, now)) {
      if (alert.state === 'resolved') this.firing.delete(alert.id);
      else this.firing.set(alert.id, alert);
    }
    for (const { id, severity, value, message } of this.board.status(now)) {
      const alert = this.firing.get(id);
      // Its value changes while it fires.
      if (alert && severity && value !== undefined)
        this.firing.set(id, { ...alert, severity, value, message });
    }
  }

  /** The worst first, and of these the latest. */
  read(): Alert[] {
    const rank = ({ severity }: Alert) => (severity === 'critical' ? 0 : 1);
    return [...this.firing.values()].sort(
      (left, right) => rank(left) - rank(right) || right.since.localeCompare(left.since),
    );
  }
}
