import type { ComponentChildren } from 'preact';

/** A row of {@link Stat}s. */
export const Stats = ({ children }: { readonly children: ComponentChildren }) => (
  <dl class="stats">{children}</dl>
);

export interface StatProps {
  readonly label: string;
  /** The figure itself. */
  readonly children: ComponentChildren;
  /** What it is measured against, or over which time. */
  readonly note?: ComponentChildren;
  readonly tone?: 'bad' | 'warn' | undefined;
  /** Page that says more. */
  readonly href?: string | undefined;
}

/** One large figure with its name. */
export const Stat = ({ label, children, note, tone, href }: StatProps) => (
  <div class={tone === undefined ? 'stat' : `stat ${tone}`}>
    <dt>{href === undefined ? label : <a href={href}>{label}</a>}</dt>
    <dd class="stat-figure">{children}</dd>
    {note === undefined ? null : <dd class="stat-note">{note}</dd>}
  </div>
);
