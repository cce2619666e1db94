import type { VNode } from 'preact';

/** What views know beside their model. Plain JSON: the browser gets it with the page. */
export interface ViewContext {
  /** Where the application's pages begin, without a slash at its end: `/ops/shop`. */
  readonly base: string;
  /** True if actions are allowed: without, no form is drawn. */
  readonly mayAct: boolean;
  /** Goes with each form, in the field `token`. */
  readonly token: string;
  readonly links: { readonly trace?: string | undefined; readonly logs?: string | undefined };
  /** Milliseconds since 1970, of the server: ages are told against it. */
  readonly now: number;
}

/** Draws a model. Called on the server and in the browser, with the same result. */
export type View<Model> = (props: { readonly model: Model; readonly context: ViewContext }) => VNode;

/** Part of a view, which may have nothing to draw. */
export type Part<Model> = (props: { readonly model: Model; readonly context: ViewContext }) => VNode | null;
