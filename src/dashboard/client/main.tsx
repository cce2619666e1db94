import type { PageState } from '../ui/layout/frame.js';
import { defineCharts } from './charts/hop-chart.js';
import { beginCopying } from './copying.js';
import { Dialogs } from './dialogs.js';
import { beginForms } from './forms.js';
import { beginKeys } from './keys/keys.js';
import { Drawing } from './live/drawing.js';
import { beginLive } from './live/live.js';
import { beginTheme } from './theme.js';

/*
 * What a browser adds to a page that reads without it: newer figures, charts that can be asked, keys, and a question before what can't
 * be taken back. All of it hangs on attributes of the page, so a view knows nothing of it.
 */

document.documentElement.classList.add('js');
beginTheme();
forgetSaid();

const root = document.getElementById('page');
const state = stateOf(document.getElementById('state')?.textContent);
const dialogs = new Dialogs();
beginForms(dialogs);
beginKeys(dialogs);
beginCopying();
if (root && state) {
  const drawing = new Drawing(root, state);
  beginLive(drawing, state);
}
// After the first drawing: until then what is in a chart has to be what the server has drawn.
defineCharts();

function stateOf(text: string | null | undefined): PageState | undefined {
  return text ? (JSON.parse(text) as PageState) : undefined;
}

/** What an action has said is told once: a page that is loaded again, or sent to somebody, doesn't say it again. */
function forgetSaid(): void {
  const address = new URL(location.href);
  if (!address.searchParams.has('said')) return;
  address.searchParams.delete('said');
  history.replaceState(history.state, '', address);
}
