import { Ago } from '../../ui/figures/figures.js';
import { momentText } from '../../ui/text.js';
import type { StoryStep } from './model.js';

interface Props {
  readonly steps: readonly StoryStep[];
  readonly now: number;
}

/** What has happened to a message, in its order. */
export const Story = ({ steps, now }: Props) => (
  <ol class="story">
    {steps.map(({ what, at, of, kind }) => (
      <li key={what} class={kind}>
        <p class="story-what">
          <strong>{what}</strong>{' '}
          {at === undefined ? (
            <span class="quiet">at a time that its headers don't tell</span>
          ) : (
            <>
              {momentText(at)}, <Ago at={at} now={now} />
            </>
          )}
        </p>
        {of.length === 0 ? null : (
          <dl class="facts">
            {of.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        )}
      </li>
    ))}
  </ol>
);
