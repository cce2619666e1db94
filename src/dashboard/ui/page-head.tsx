import type { ComponentChildren } from 'preact';

export interface PageHeadProps {
  readonly title: ComponentChildren;
  /** Where it belongs: address and name of each page above. */
  readonly above?: readonly (readonly [href: string, name: string])[] | undefined;
  /** A sentence on what is seen here. */
  readonly lead?: ComponentChildren;
  /** Actions on all of it. */
  readonly children?: ComponentChildren;
}

/** Heading of a page. */
export const PageHead = ({ title, above = [], lead, children }: PageHeadProps) => (
  <header class="page-head">
    <div>
      {above.length === 0 ? null : (
        <p class="above">
          {above.map(([href, name]) => (
            <a key={href} href={href}>
              {name}
            </a>
          ))}
        </p>
      )}
      <h1>{title}</h1>
      {lead === undefined ? null : <p class="lead">{lead}</p>}
    </div>
    {children === undefined ? null : <div class="actions">{children}</div>}
  </header>
);

export interface PanelProps {
  readonly title: string;
  /** Beside the title: a link to all of it, or what it counts. */
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
  /** Takes the whole width where panels stand side by side. */
  readonly wide?: boolean | undefined;
}

/** A part of a page with a heading. */
export const Panel = ({ title, aside, children, wide }: PanelProps) => (
  <section class={wide ? 'panel wide' : 'panel'}>
    <header>
      <h2>{title}</h2>
      {aside === undefined ? null : <div class="panel-aside">{aside}</div>}
    </header>
    {children}
  </section>
);

/** Panels side by side where there is room. */
export const Panels = ({ children }: { readonly children: ComponentChildren }) => (
  <div class="panels">{children}</div>
);
