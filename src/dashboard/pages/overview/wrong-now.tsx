import { Ago } from '../../ui/figures/figures.js';
import { Empty } from '../../ui/notice.js';
import { State } from '../../ui/state.js';
import { countedText } from '../../ui/text.js';
import type { View } from '../view.js';
import type { OverviewModel, Wrong } from './model.js';

/** What is wrong now. Of one height, whatever is: nothing below moves when something breaks. */
export const WrongNow: View<OverviewModel> = ({ model: { wrong, looked }, context: { base, now } }) => (
  <div class="wrong">
    <h2>{wrong.length === 0 ? 'Wrong now' : `Wrong now: ${countedText(wrong.length, 'thing')}`}</h2>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by the keyboard as well */}
    <section class="wrong-list" tabIndex={0} aria-label="What is wrong now">
      {wrong.length > 0 ? (
        <ul>
          {wrong.map((each) => (
            <WrongRow key={each.message} of={each} base={base} now={now} />
          ))}
        </ul>
      ) : looked.reached ? (
        <Empty title="Nothing is wrong">
          <p>
            Alarms, queues that nobody consumes, open circuits, failing handlers and the like are told here.
          </p>
        </Empty>
      ) : (
        <Empty title="Not known while the broker can't be asked" />
      )}
    </section>
  </div>
);

interface RowProps {
  readonly of: Wrong;
  readonly base: string;
  readonly now: number;
}

const WrongRow = ({ of, base, now }: RowProps) => (
  <li>
    <State tone={of.severity}>{of.severity === 'bad' ? 'bad' : 'look'}</State>
    <div>
      {of.path === undefined ? of.message : <a href={`${base}${of.path}`}>{of.message}</a>}
      {of.help === undefined ? null : <p>{of.help}</p>}
      {of.since === undefined ? null : (
        <p>
          since <Ago at={of.since} now={now} />
        </p>
      )}
    </div>
  </li>
);
