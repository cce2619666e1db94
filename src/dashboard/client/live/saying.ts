import type { Figures } from '../../ui/layout/frame.js';

/** Time for which a connection may be away before the reader is told. */
const UNTOLD_MS = 3_000;

/** Says how live the page is: at its top, and in a bar where it isn't. */
export class Saying {
  private readonly top = document.getElementById('live');
  private readonly state = document.getElementById('live-state');
  private readonly time = this.top?.querySelector<HTMLElement>('time');
  private bar: HTMLElement | undefined;
  private timer = 0;
  private isOutdated = false;
  /** What stays in the bar while the page is live. */
  private remark: string | undefined;

  /** Newer figures come. @param figures how old they are, if that was told */
  live(figures: Figures | undefined): void {
    if (this.isOutdated) return;
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.remark === undefined) {
      this.bar?.remove();
      this.bar = undefined;
    } else this.tell(this.remark);
    const isReached = figures?.reached ?? true;
    this.show(isReached ? 'live' : 'lost', isReached ? 'live' : 'broker not reached, as of');
    // Without an age, what is shown is what is so.
    if (this.time) this.time.hidden = isReached;
    if (this.time && figures?.at !== undefined) this.time.dataset.ago = String(figures.at);
  }

  paused(): void {
    if (this.isOutdated) return;
    clearTimeout(this.timer);
    this.timer = 0;
    this.show('still', 'paused');
  }

  /** @param why as the server says; empty if nothing is known */
  lost(why: string): void {
    if (this.isOutdated || this.timer !== 0) return;
    this.timer = window.setTimeout(() => {
      this.show('lost', 'not live, as of');
      if (this.time) this.time.hidden = false;
      this.tell(why === '' ? 'Not live: the dashboard does not answer. Trying again.' : `Not live: ${why}`);
    }, UNTOLD_MS);
  }

  /** The server has another version than the page: their models need not be alike. */
  outdated(): void {
    this.isOutdated = true;
    clearTimeout(this.timer);
    this.show('still', 'older version');
    this.tell('The dashboard was updated: load the page again to see it live.');
  }

  /** The server takes no form of this page any more. */
  restarted(): void {
    this.remark = 'The dashboard was started again: load the page again before you act on it.';
  }

  private tell(text: string): void {
    this.bar ??= document.body.appendChild(barOf());
    if (this.bar.textContent !== text) this.bar.textContent = text;
  }

  private show(kind: string, text: string): void {
    if (this.top) this.top.dataset.live = kind;
    if (this.state && this.state.textContent !== text) this.state.textContent = text;
  }
}

/** Over the page, not in it: nothing moves when it comes. */
function barOf(): HTMLElement {
  const bar = document.createElement('p');
  bar.className = 'not-live';
  bar.setAttribute('role', 'status');
  return bar;
}
