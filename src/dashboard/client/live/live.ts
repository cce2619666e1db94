import type { LiveMessage, PageState } from '../../ui/layout/frame.js';
import type { Drawing } from './drawing.js';
import { changedSince, type Greeting } from './greeting.js';
import { Saying } from './saying.js';

/** Time until a reader who is not let in, or is not answered at all, is tried again: at first, and at most. */
const AGAIN_MS = 4_000;
const AGAIN_AT_MOST_MS = 60_000;

/** A tab that nobody sees is not followed any longer after this. */
const UNSEEN_MS = 10_000;

/** Follows the page's models while somebody sees it. */
export function beginLive(drawing: Drawing, state: PageState): void {
  // On pages that don't change by themselves there is nothing to follow.
  if (state.isLive === false) return;
  const live = new Live(drawing, state);
  live.begin();
  let timer = 0;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (!document.hidden) live.begin();
    else timer = window.setTimeout(() => live.pause(), UNSEEN_MS);
  });
  // A page that is kept for going back must not hold one of the places.
  addEventListener('pagehide', () => live.pause());
  addEventListener('pageshow', () => live.begin());
}

function addressOf({ context: { base } }: PageState): string {
  const below = `${location.pathname.slice(base.length)}${location.search}`;
  return `${base}/live?page=${encodeURIComponent(below)}`;
}

class Live {
  private source: EventSource | undefined;
  private timer = 0;
  private failures = 0;
  private isOver = false;
  private readonly saying = new Saying();
  private readonly address: string;

  constructor(
    private readonly drawing: Drawing,
    private readonly state: PageState,
  ) {
    this.address = addressOf(state);
  }

  begin(): void {
    if (this.source || this.isOver) return;
    clearTimeout(this.timer);
    const source = new EventSource(this.address);
    this.source = source;
    source.addEventListener('open', () => {
      this.failures = 0;
    });
    source.addEventListener('hello', ({ data }) => this.greeted(JSON.parse(data)));
    source.addEventListener('model', ({ data }) => this.take(JSON.parse(data)));
    source.addEventListener('same', ({ data }) => this.saying.live(JSON.parse(data).figures));
    source.addEventListener('problem', ({ data }) => this.saying.lost(JSON.parse(data).message));
    source.addEventListener('error', () => this.failed(source));
  }

  pause(): void {
    this.source?.close();
    this.source = undefined;
    clearTimeout(this.timer);
    this.saying.paused();
  }

  private take({ model, now, figures }: LiveMessage): void {
    this.drawing.draw(model, now);
    this.saying.live(figures);
  }

  private greeted(greeting: Greeting): void {
    const script = document.querySelector('script[type="module"][src]')?.getAttribute('src') ?? undefined;
    const { boot, context } = this.state;
    const changed = changedSince({ script, boot }, greeting);
    if (changed === 'updated') {
      this.isOver = true;
      this.pause();
      this.saying.outdated();
      return;
    }
    // Without forms, nothing of the page is older than the server.
    if (changed === 'restarted' && context.mayAct) this.saying.restarted();
    this.saying.live(undefined);
  }

  private failed(source: EventSource): void {
    this.saying.lost('');
    // By itself a browser comes again only after a connection that broke, not after an answer that refuses.
    if (source.readyState !== EventSource.CLOSED) return;
    this.source = undefined;
    const wait = Math.min(AGAIN_AT_MOST_MS, AGAIN_MS * 2 ** this.failures) * (0.75 + Math.random() / 2);
    this.failures += 1;
    this.timer = window.setTimeout(() => this.begin(), wait);
  }
}
