import type { ViewContext } from '../../pages/view.js';

/** What is around a page: the same on all of them. */
export interface Frame {
  /** Name of the page, as `queues`; undefined for a page of errors. */
  readonly page: string | undefined;
  /** Where the application's pages begin, without a slash at its end: `/ops/shop`. */
  readonly base: string;
  readonly nav: Navigation;
  /** What the last action has done, told once. */
  readonly said?: string | undefined;
  readonly figures: Figures;
  /** Milliseconds since 1970, of the server. */
  readonly now: number;
}

export interface Navigation {
  readonly site: NavSite;
  /** All applications, this one among them. */
  readonly sites: readonly NavSite[];
  /** Name, and path below the application's, of each page that has no parameter. */
  readonly pages: readonly { readonly name: string; readonly path: string }[];
  /** Who looks; undefined if nobody had to say. */
  readonly user: string | undefined;
}

export interface NavSite {
  readonly id: string;
  readonly title: string;
  /** `rabbit.example.org:5672, vhost '/'` */
  readonly broker: string;
  /** Address of its first page. */
  readonly href: string;
}

/** How old the figures are. */
export interface Figures {
  /** Milliseconds since 1970 of the last look at the application; undefined before the first. */
  readonly at: number | undefined;
  /** False while the broker can't be asked. */
  readonly reached: boolean;
}

/** What the browser needs to go on with a page: the content of `<script type="application/json" id="state">`. */
export interface PageState {
  /** Name of its view. */
  readonly page: string;
  readonly model: unknown;
  readonly context: ViewContext;
  /** False for a page that doesn't change by itself. */
  readonly isLive: boolean;
  /** Word of the server's start: after another, forms of this page are refused. */
  readonly boot?: string | undefined;
}

/** Data of the event `model` of the address `BASE/live?page=PATH`. */
export interface LiveMessage {
  readonly model: unknown;
  /** Milliseconds since 1970, of the server. */
  readonly now: number;
  readonly figures?: Figures | undefined;
}
