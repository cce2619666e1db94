import type { ComponentChildren } from 'preact';
import { bytesText } from './text.js';

export interface KeyValueProps {
  /** Name and value of each; undefined and null leave it out. */
  readonly of: readonly (readonly [name: string, value: ComponentChildren])[];
}

/** Facts of one thing. */
export const KeyValue = ({ of }: KeyValueProps) => (
  <dl class="facts">
    {of.map(([name, value]) =>
      value === undefined || value === null ? null : (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ),
    )}
  </dl>
);

export interface CodeProps {
  /** What it is: `Body`, `Stack`. */
  readonly label: string;
  readonly text: string;
  /** If only the beginning is here: bytes of all, and where all of it is. */
  readonly cut?: { readonly bytes: number; readonly href?: string | undefined } | undefined;
  /** Offers to copy it. */
  readonly copy?: boolean | undefined;
}

/** Text in a fixed-width type, as it is. */
export const Code = ({ label, text, cut, copy }: CodeProps) => (
  <figure class="code">
    <figcaption>
      <span>{label}</span>
      {copy ? (
        <button type="button" class="js-only" data-copy="">
          Copy
        </button>
      ) : null}
    </figcaption>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by the keyboard as well */}
    <pre tabIndex={0}>
      <code>{text}</code>
    </pre>
    {cut === undefined ? null : (
      <p class="code-cut">
        Cut here, of {bytesText(cut.bytes)}.{' '}
        {cut.href === undefined ? null : <a href={cut.href}>All of it</a>}
      </p>
    )}
  </figure>
);

/** An id, name or key; with `copy` it can be copied. */
export const Id = ({
  children,
  copy,
}: {
  readonly children: string;
  readonly copy?: boolean | undefined;
}) => (
  <span class="id">
    <code>{children}</code>
    {copy ? (
      <button type="button" class="js-only" data-copy="" aria-label={`Copy ${children}`}>
        Copy
      </button>
    ) : null}
  </span>
);
