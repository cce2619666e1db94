import { render } from 'preact';
import type { View, ViewContext } from '../pages/view.js';
import { VIEWS } from '../pages/views.js';

interface State {
  readonly page: string;
  readonly model: unknown;
  readonly context: ViewContext;
}

const main = document.getElementById('page');
const state = JSON.parse(document.getElementById('state')?.textContent ?? 'null') as State | null;
const Drawing = VIEWS[state?.page ?? ''] as View<unknown> | undefined;

if (main && state && Drawing) {
  const { context, page } = state;
  const below = `${location.pathname.slice(context.base.length)}${location.search}`;
  const events = new EventSource(`${context.base}/live?page=${encodeURIComponent(below)}`);
  events.addEventListener('model', ({ data }: MessageEvent<string>) => {
    const { now, model } = JSON.parse(data) as { now: number; model: unknown };
    render(<Drawing model={model} context={{ ...context, now }} />, main);
    main.dataset.page = page;
  });
}
