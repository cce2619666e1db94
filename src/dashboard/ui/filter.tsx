import type { ComponentChildren } from 'preact';
import { countText } from './text.js';

export interface FilterProps {
  /** Address of the page that is filtered. */
  readonly href: string;
  /** Says what is filtered: `Filter queues`. */
  readonly label: string;
  /** Fields; one of type `search` is what `/` goes to. */
  readonly children: ComponentChildren;
  /** Parts of the query that stay as they are. */
  readonly keep?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Fields whose values go into the address: what is seen has a link. */
export const Filter = ({ href, label, children, keep = {} }: FilterProps) => (
  <search>
    <form method="get" action={href} class="filter" aria-label={label}>
      {Object.entries(keep).map(([name, value]) =>
        value === undefined || value === '' ? null : (
          <input key={name} type="hidden" name={name} value={value} />
        ),
      )}
      {children}
      <button type="submit">Filter</button>
    </form>
  </search>
);

export interface PagerProps {
  /** Of all that match, how many are before these, and how many are on one page. */
  readonly count: number;
  readonly offset: number;
  readonly limit: number;
  hrefOf(offset: number): string;
}

/** `51–100 of 12,431`, and the way to the parts beside. */
export function Pager({ count, offset, limit, hrefOf }: PagerProps) {
  if (count <= limit && offset === 0) return null;
  const last = Math.min(count, offset + limit);
  return (
    <nav class="pager" aria-label="Parts of the list">
      <span class="num">
        {countText(Math.min(count, offset + 1))}–{countText(last)} of {countText(count)}
      </span>
      {offset > 0 ? (
        <a rel="prev" href={hrefOf(Math.max(0, offset - limit))}>
          Previous
        </a>
      ) : null}
      {last < count ? (
        <a rel="next" href={hrefOf(offset + limit)}>
          Next
        </a>
      ) : null}
    </nav>
  );
}

/** Address with a query of what is defined and not empty: `addressOf('/queues', { text: 'mail' })`. */
export function addressOf(
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
): string {
  const filled = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return filled.length === 0 ? path : `${path}?${new URLSearchParams(filled)}`;
}
