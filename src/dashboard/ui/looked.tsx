import { Ago } from './figures/figures.js';
import { Notice } from './notice.js';

/** How far the last look at the application got. */
export interface LookedModel {
  /** Milliseconds since 1970 of the last answer; undefined before the first. */
  readonly at: number | undefined;
  /** False if the broker could not be asked: the figures are the last that were known. */
  readonly reached: boolean;
  /** What was asked and has not answered, as sentences. */
  readonly silent: readonly string[];
}

/** Says what the figures of a page lack; nothing if they are whole. */
export const Looked = ({
  of: { at, reached, silent },
  now,
}: {
  readonly of: LookedModel;
  readonly now: number;
}) => (
  <>
    {reached ? null : (
      <Notice tone="bad" title="The broker can't be asked">
        {at === undefined ? (
          <p>It has not answered yet, so nothing is known. It is tried again and again.</p>
        ) : (
          <p>
            What is here is as old as the last answer, <Ago at={at} now={now} />. It is tried again and again.
          </p>
        )}
      </Notice>
    )}
    {silent.length === 0 ? null : (
      <Notice tone="warn" title="Not everybody has answered">
        <ul>
          {silent.slice(0, 5).map((each) => (
            <li key={each}>{each}</li>
          ))}
        </ul>
      </Notice>
    )}
  </>
);
