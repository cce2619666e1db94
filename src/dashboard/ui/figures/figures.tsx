import { agoText, bytesText, countText, durationText, momentText, rateText, shareText } from '../text.js';
import { Unknown } from './unknown.js';

export interface FigureProps {
  /** Undefined is what is not known. */
  readonly value: number | undefined;
  /** Why it is not known, if it isn't. */
  readonly why?: string | undefined;
  /** `bad` and `warn` where the figure is what somebody should look at. */
  readonly tone?: 'bad' | 'warn' | undefined;
}

const figure =
  (text: (value: number) => string) =>
  ({ value, why, tone }: FigureProps) =>
    value === undefined || Number.isNaN(value) ? (
      <Unknown why={why} />
    ) : (
      <span class={tone === undefined ? 'num' : `num ${tone}`}>{text(value)}</span>
    );

/** `12,431` */
export const Count = figure(countText);
/** Of a value per second: `3.4/s` */
export const Rate = figure(rateText);
/** `7 kB` */
export const Bytes = figure(bytesText);
/** Of milliseconds: `2.4 s` */
export const DurationText = figure(durationText);
/** Of a value from 0 to 1: `12 %` */
export const Share = figure(shareText);

export interface AgoProps {
  /** Milliseconds since 1970. */
  readonly at: number | undefined;
  /** {@link import('../../pages/view.js').ViewContext.now} */
  readonly now: number;
  readonly why?: string | undefined;
}

/** How long ago something was; the browser lets it grow older. */
export function Ago({ at, now, why }: AgoProps) {
  const moment = at === undefined ? undefined : momentText(at);
  if (at === undefined || moment === undefined) return <Unknown why={why} />;
  return (
    <time class="num" dateTime={new Date(at).toISOString()} title={moment} data-ago={at}>
      {agoText(at, now)}
    </time>
  );
}
