import type { Site } from '../site/site.js';

/*
 * A page is its data and its view. The data, a model, are plain JSON: the server draws the view with them, and while somebody looks, the
 * browser draws the same view with newer ones. So a page reads without script, and nothing in it can differ between the two.
 */

/** What is asked of a page. */
export interface Asked {
  readonly site: Site;
  /** Parts of the path that the page's `path` names with a colon, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/** @typeParam Model plain JSON */
export interface Page<Model> {
  /** Name of its view. */
  readonly name: string;
  /** Path below the application's, as `/queues/:queue`. */
  readonly path: string;
  /** Milliseconds after which a follower gets a newer model; undefined for a page that doesn't change by itself. */
  readonly freshMs: number | undefined;
  title(model: Model): string;
  /** @throws NotFound for something that is not there */
  load(asked: Asked): Promise<Model>;
}

/** What a page is about is not there, or not any more. */
export class NotFound extends Error {}

/** An action of a page: a form that is posted to its path. */
export interface Action {
  /** Path below the application's, as `/queues/:queue/pause`. */
  readonly path: string;
  /** Bytes that its form may have. @default a million */
  readonly maxBytes?: number;
  /**
   * Does it.
   *
   * @returns where to go then, a path below the application's, and what to say there
   * @throws HoplineError, whose message and help are shown
   */
  run(asked: Asked & { readonly form: FormData; readonly by: string }): Promise<Done>;
}

export interface Done {
  readonly to: string;
  readonly say: string;
}
