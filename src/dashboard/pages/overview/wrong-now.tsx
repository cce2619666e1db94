import { Notice } from '../../ui/notice.js';
import { State } from '../../ui/state.js';
import type { View } from '../view.js';
import type { OverviewModel } from './model.js';

/** What is wrong now: one line where nothing is. */
export const WrongNow: View<OverviewModel> = ({ model: { wrong, looked }, context: { base } }) => (
  <section class="wrong" aria-label="What is wrong now">
    {wrong.length === 0 && looked.reached ? <State tone="good">Nothing is wrong</State> : null}
    {wrong.map(({ severity, message, help, path }) => (
      <Notice key={message} tone={severity} title={message}>
        {help === undefined && path === undefined ? undefined : (
          <p>
            {help} {path === undefined ? null : <a href={`${base}${path}`}>Look at it</a>}
          </p>
        )}
      </Notice>
    ))}
  </section>
);
