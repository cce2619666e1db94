import type { ComponentChildren } from 'preact';
import { Ago } from '../figures/figures.js';
import type { Frame, Navigation } from './frame.js';
import { Mark } from './mark.js';
import { NAV, NAV_GROUPS } from './nav.js';

export interface LayoutProps {
  readonly frame: Frame;
  /** The view of the page. */
  readonly children: ComponentChildren;
}

/** The body of every page. What newer models change is within `#page` alone. */
export const Layout = ({ frame, children }: LayoutProps) => (
  <body>
    <a class="skip" href="#main">
      Skip to the page
    </a>
    <Top frame={frame} />
    <SideNav frame={frame} />
    <main id="main" tabIndex={-1}>
      <p class="said" role="status" hidden={frame.said === undefined}>
        {frame.said ?? ''}
      </p>
      <div id="page">{children}</div>
    </main>
    <Foot frame={frame} />
  </body>
);

const Top = ({ frame }: { readonly frame: Frame }) => (
  <header class="top">
    <a class="brand" href={frame.nav.site.href} aria-label="Hopline: overview">
      <Mark />
      <span>Hopline</span>
    </a>
    <Sites nav={frame.nav} />
    <search class="top-search">
      <form method="get" action={`${frame.base}/search`} aria-label="Search everything">
        <label>
          <span class="visually-hidden">Search by id, correlation, tag or text</span>
          <input
            type="search"
            name="q"
            placeholder="Id, correlation, text"
            autocomplete="off"
            spellcheck={false}
            data-search=""
          />
        </label>
        <Key of="/" />
      </form>
    </search>
    <Live frame={frame} />
    <a class="menu" href="#nav">
      Menu
    </a>
  </header>
);

/** A key that does the same; read out by the help alone. */
const Key = ({ of }: { readonly of: string }) => (
  <span aria-hidden="true" class="js-only">
    <kbd>{of}</kbd>
  </span>
);

/** Age of the figures, and whether newer ones come. The browser says the latter. */
const Live = ({ frame: { figures, now } }: { readonly frame: Frame }) => (
  <p class="live" id="live" data-live={figures.reached ? 'still' : 'lost'}>
    <span class="live-dot" aria-hidden="true" />
    <span role="status" id="live-state">
      {figures.reached ? 'as of' : 'broker not reached, as of'}
    </span>{' '}
    <Ago at={figures.at} now={now} why="nobody has looked yet" />
  </p>
);

const Sites = ({ nav: { site, sites } }: { readonly nav: Navigation }) =>
  sites.length < 2 ? (
    <p class="site" title={site.broker}>
      {site.title}
    </p>
  ) : (
    <details class="sites">
      <summary title={site.broker}>
        <span class="visually-hidden">Application: </span>
        {site.title}
      </summary>
      <ul>
        {sites.map(({ id, title, broker, href }) => (
          <li key={id}>
            <a href={href} aria-current={id === site.id ? 'true' : undefined}>
              {title} <small>{broker}</small>
            </a>
          </li>
        ))}
      </ul>
    </details>
  );

function SideNav({ frame: { nav, base, page } }: { readonly frame: Frame }) {
  const entries = nav.pages.flatMap(({ name, path }) => {
    const entry = NAV[name];
    return entry === undefined ? [] : [{ ...entry, name, href: `${base}${path}` }];
  });
  const groups = NAV_GROUPS.map((group) => ({ group, of: entries.filter((entry) => entry.group === group) }));
  return (
    <nav id="nav" class="side" aria-label="Pages" tabIndex={-1}>
      <a class="menu-close" href="#main">
        Close
      </a>
      {groups.map(({ group, of }) =>
        of.length === 0 ? null : (
          <div key={group} class="nav-group">
            <p class="nav-title" id={`nav-${group}`}>
              {group}
            </p>
            <ul aria-labelledby={`nav-${group}`}>
              {of.map(({ name, label, href, key }) => (
                <li key={name}>
                  <a href={href} aria-current={name === page ? 'page' : undefined} data-key={key}>
                    {label}
                  </a>
                </li>
              ))}
            </ul>
          </div>
        ),
      )}
    </nav>
  );
}

const Foot = ({ frame: { nav } }: { readonly frame: Frame }) => (
  <footer class="foot">
    <p class="foot-broker">
      <span class="visually-hidden">Broker: </span>
      {nav.site.broker}
    </p>
    {nav.user === undefined ? null : <p>Signed in as {nav.user}</p>}
    <p class="foot-tools">
      <button type="button" class="js-only plain" data-theme-toggle="" aria-pressed="false">
        Dark theme
      </button>
      <button type="button" class="js-only plain" data-help="">
        Keys <Key of="?" />
      </button>
    </p>
    <noscript>
      <p>Without script the figures are those of the moment: reload for newer ones.</p>
    </noscript>
  </footer>
);
