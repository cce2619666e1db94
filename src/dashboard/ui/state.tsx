/** How much something wants to be looked at. */
export type Tone = 'bad' | 'warn' | 'good' | 'quiet';

export interface StateProps {
  readonly tone: Tone;
  /** The word, as `paused`. */
  readonly children: string;
  /** What it means, or since when. */
  readonly title?: string | undefined;
}

/** A state as a word; the colour adds nothing that the word doesn't say. */
export const State = ({ tone, children, title }: StateProps) => (
  <span class={`state ${tone}`} title={title}>
    {children}
  </span>
);

/** A word beside a name, as a version or a type of queue. */
export const Badge = ({
  children,
  title,
}: {
  readonly children: string;
  readonly title?: string | undefined;
}) => (
  <span class="badge" title={title}>
    {children}
  </span>
);
