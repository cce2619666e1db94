import { hydrate, render } from 'preact';
import type { View, ViewContext } from '../../pages/view.js';
import { VIEWS } from '../../pages/views.js';
import type { PageState } from '../../ui/layout/frame.js';
import { RowOrder } from '../../ui/row-order.js';
import { agoText } from '../../ui/text.js';
import { Pressing } from './pressing.js';
import { keptOrder } from './standing.js';

const TICK_MS = 1_000;

/** The view of a page, drawn again with newer models. What the reader is at stays: focus, selection, what is typed or opened. */
export class Drawing {
  private readonly view: View<unknown> | undefined;
  private context: ViewContext;
  /** When `context.now` was so, by the browser's own clock: the two clocks need not agree. */
  private since = performance.now();
  private readonly pressing: Pressing;
  private readonly order = keptOrder();

  constructor(
    private readonly root: HTMLElement,
    { page, model, context }: PageState,
  ) {
    this.view = VIEWS[page] as View<unknown> | undefined;
    this.context = context;
    this.pressing = new Pressing(root, window);
    const view = this.viewOf(model);
    if (view) hydrate(view, root);
    setInterval(() => this.tick(), TICK_MS);
    this.followTouch();
  }

  /** Now, by the server's clock. */
  get now(): number {
    return this.context.now + (performance.now() - this.since);
  }

  draw(model: unknown, now: number): void {
    this.context = { ...this.context, now };
    this.since = performance.now();
    this.pressing.whenFree(() => keepingFocus(() => this.render(model)));
  }

  private render(model: unknown): void {
    const view = this.viewOf(model);
    if (view) render(view, this.root);
  }

  private viewOf(model: unknown) {
    const { view: View, order, context } = this;
    if (!View) return undefined;
    return (
      <RowOrder.Provider value={order.keep}>
        <View model={model} context={{ ...context, now: this.now }} />
      </RowOrder.Provider>
    );
  }

  private followTouch(): void {
    for (const touch of ['pointermove', 'keydown', 'scroll'])
      addEventListener(touch, () => this.order.touched(), { passive: true, capture: true });
  }

  /** Ages grow, on the page and in its frame. */
  private tick(): void {
    if (document.hidden) return;
    for (const time of document.querySelectorAll<HTMLElement>('time[data-ago]')) {
      const node = time.firstChild;
      const text = agoText(Number(time.dataset.ago), this.now);
      if (node instanceof Text && node.data !== text) node.data = text;
    }
  }
}

/** A row that moves in its table loses the focus, as far as the browser is concerned. */
function keepingFocus(draw: () => void): void {
  const focused = document.activeElement;
  draw();
  if (!(focused instanceof HTMLElement) || focused === document.activeElement || !focused.isConnected) return;
  focused.focus({ preventScroll: true });
}
