import type { Clock, Timer } from '../../../util/clock.js';

/** Who follows a page. */
export interface Follower {
  /** True while earlier models wait to be read: then this one is skipped, since a newer one comes. */
  readonly isFull: boolean;
  send(event: string, data: string): void;
}

export interface FeedOptions {
  readonly freshMs: number;
  readonly clock: Clock;
  load(): Promise<unknown>;
  /** Called when somebody begins to follow; what it returns, when nobody does any more. */
  begin(): () => void;
  /** How old the figures are: told each time, as the model is not that has stayed the same. */
  figures(): unknown;
  /** What followers are told of an error. */
  problemOf(error: unknown): string;
}

/** One page with one query, loaded once for all who follow it, while anybody does. */
export class Feed {
  /** With what each has got last: whoever was skipped gets it later. */
  private readonly followers = new Map<Follower, string | undefined>();
  private latest: string | undefined;
  private timer: Timer | undefined;
  private isLoading = false;
  private end: (() => void) | undefined;

  constructor(private readonly options: FeedOptions) {}

  get isFollowed(): boolean {
    return this.followers.size > 0;
  }

  add(follower: Follower): void {
    this.followers.set(follower, undefined);
    this.end ??= this.options.begin();
    if (this.latest !== undefined) this.tell(follower, this.latest);
    if (!this.timer && !this.isLoading) void this.load();
  }

  remove(follower: Follower): void {
    this.followers.delete(follower);
    if (this.isFollowed) return;
    this.end?.();
    this.end = undefined;
    this.timer?.cancel();
    this.timer = undefined;
    // Whoever comes next would get what is old by then.
    this.latest = undefined;
  }

  /** Never rejects. */
  private async load(): Promise<void> {
    const { clock, freshMs, load, problemOf } = this.options;
    this.isLoading = true;
    try {
      const latest = JSON.stringify(await load());
      this.latest = latest;
      for (const follower of this.followers.keys()) this.tell(follower, latest);
    } catch (error) {
      const problem = JSON.stringify({ message: problemOf(error) });
      for (const follower of this.followers.keys()) if (!follower.isFull) follower.send('problem', problem);
    }
    this.isLoading = false;
    this.timer = this.isFollowed ? clock.setTimer(() => void this.load(), freshMs) : undefined;
  }

  private tell(follower: Follower, latest: string): void {
    if (follower.isFull) return;
    const { clock, figures } = this.options;
    const age = `"now":${clock.now()},"figures":${JSON.stringify(figures())}`;
    if (this.followers.get(follower) === latest) {
      follower.send('same', `{${age}}`);
      return;
    }
    this.followers.set(follower, latest);
    follower.send('model', `{${age},"model":${latest}}`);
  }
}
