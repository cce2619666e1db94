import { OverviewView } from './overview/view.js';
import type { View } from './view.js';

/** The view of each page, by the page's name: what the browser has of the pages. */
export const VIEWS: Readonly<Record<string, View<never>>> = {
  overview: OverviewView as View<never>,
};
