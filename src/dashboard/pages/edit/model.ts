export interface EditModel {
  readonly id: string;
  readonly deadQueue: string;
  readonly queue: string | undefined;
  /** `closed`: it can't be edited here, for the reason in `problem`. */
  readonly state: 'ready' | 'reading' | 'gone' | 'failed' | 'closed';
  readonly problem: string | undefined;
  /** What stands in the form: what somebody has written last, or the letter's own. */
  readonly body: string;
  readonly headers: string;
  /** What was wrong with that. */
  readonly problems: readonly string[];
  /** Secret values that numbers stand for in the form. */
  readonly hidden: number;
  readonly wasEncrypted: boolean;
  /** Copies of it in its queue: one of them is edited and replayed. */
  readonly copies: number;
}
