import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import type { View, ViewContext } from '../pages/view.js';
import { VIEWS } from '../pages/views.js';
import type { AssetLinks } from './assets/assets.js';

/** What is around each page. */
export interface Frame {
  readonly assets: AssetLinks;
  /** That the answer's headers allow script and style of. */
  readonly nonce: string;
  readonly nav: Nav;
}

/** Where one can go from a page. */
export interface Nav {
  /** Id of the application that is shown; undefined on a page of none. */
  readonly site: string | undefined;
  readonly sites: readonly { readonly id: string; readonly title: string; readonly href: string }[];
  /** Who is logged in; undefined where nobody is asked. */
  readonly user: string | undefined;
}

/** A page as the browser gets it. */
export interface Drawn {
  readonly title: string;
  readonly page: string;
  readonly model: unknown;
  readonly context: ViewContext;
  readonly frame: Frame;
  /** What an action has said that has led here. */
  readonly said: string | undefined;
}

/** The whole document of a page. */
export function documentOf({ title, page, model, context, frame, said }: Drawn): string {
  const View = VIEWS[page] as View<unknown>;
  return htmlOf(
    title,
    frame,
    <>
      {said === undefined ? null : <p role="status">{said}</p>}
      <main id="page">
        <View model={model} context={context} />
      </main>
      {stateOf({ page, model, context })}
    </>,
  );
}

/** A document that says what is wrong. */
export interface Problem {
  readonly title: string;
  readonly message: string;
  readonly help: string | undefined;
  /** Where to go on. */
  readonly back: string | undefined;
  readonly frame: Frame;
}

export function problemDocument({ title, message, help, back, frame }: Problem): string {
  return htmlOf(
    title,
    frame,
    <main>
      <h1>{title}</h1>
      <p>{message}</p>
      {help === undefined ? null : <p>{help}</p>}
      {back === undefined ? null : (
        <p>
          <a href={back}>Back</a>
        </p>
      )}
    </main>,
  );
}

function htmlOf(title: string, { assets, nonce }: Frame, body: VNode): string {
  const html = renderToString(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>{`${title} · Hopline`}</title>
        <link rel="stylesheet" href={assets.style} nonce={nonce} />
        <script type="module" src={assets.script} nonce={nonce} />
      </head>
      <body>{body}</body>
    </html>,
  );
  return `<!doctype html>${html}`;
}

/** What the script needs to draw the page again. Not run by a browser; no text in it can end it. */
function stateOf(state: Pick<Drawn, 'page' | 'model' | 'context'>): VNode {
  const json = JSON.stringify(state).replaceAll('<', '\\u003c');
  // As text its quotes would be escaped, which a script does not read; without any `<` it can't end early.
  return <script type="application/json" id="state" dangerouslySetInnerHTML={{ __html: json }} />;
}
