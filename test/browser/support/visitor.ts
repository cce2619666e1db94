import assert from 'node:assert/strict';
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { accessibilityProblems } from './axe.js';
import { browser } from './chromium.js';

export interface VisitorOptions {
  /** Where the dashboard is: its origin is the only one that may be asked. */
  readonly address: string;
  /** @default 'light' */
  readonly theme?: Theme;
  /** False for a browser that runs no script. @default true */
  readonly script?: boolean;
  /** @default a desk's */
  readonly size?: Size;
}

export type Theme = 'light' | 'dark';
export const THEMES: readonly Theme[] = ['light', 'dark'];

export interface Size {
  readonly width: number;
  readonly height: number;
}

const DESK: Size = { width: 1280, height: 800 };
export const PHONE: Size = { width: 360, height: 740 };

/** Says a console error for a page that is not there, though that is what a test asks for. */
const STATUS_OF_A_DOCUMENT = /^Failed to load resource: the server responded with a status of (4|5)\d\d/;

/**
 * Somebody with a browser of their own: nothing is shared with another. What a page complains of, or asks another origin for, is kept,
 * and {@link leave} fails for it.
 */
export class Visitor {
  private readonly complaints: string[] = [];
  private expected: RegExp[] = [];

  private constructor(
    readonly address: string,
    private readonly context: BrowserContext,
    readonly page: Page,
  ) {
    const { origin } = new URL(address);
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning')
        this.complain(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.complain(`thrown: ${error.message}`));
    page.on('dialog', (dialog) => {
      this.complain(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (url.origin !== origin && !['data:', 'blob:', 'about:'].includes(url.protocol))
        this.complain(`another origin: ${request.url()}`);
    });
  }

  static async come(options: VisitorOptions): Promise<Visitor> {
    const { address, theme = 'light', script = true, size = DESK } = options;
    const settings: BrowserContextOptions = {
      colorScheme: theme,
      javaScriptEnabled: script,
      viewport: size,
      locale: 'en-GB',
      timezoneId: 'UTC',
      serviceWorkers: 'block',
    };
    const context = await (await browser()).newContext(settings);
    context.setDefaultTimeout(15_000);
    return new Visitor(address, context, await context.newPage());
  }

  /** Goes to a path below the application's. @returns the status that the server answers with */
  async go(path: string): Promise<number> {
    const response = await this.page.goto(`${this.address}${path}`);
    return response?.status() ?? 0;
  }

  /** A complaint that the test has provoked. */
  expect(complaint: RegExp): void {
    this.expected.push(complaint);
  }

  /** What axe-core finds wrong with the page as it is shown. */
  accessibility(): Promise<readonly string[]> {
    return accessibilityProblems(this.page);
  }

  /** By how much the page is wider than the window. */
  async overflow(): Promise<number> {
    const { scrollWidth, innerWidth } = await this.page.evaluate<
      Record<'scrollWidth' | 'innerWidth', number>
    >('({ scrollWidth: document.documentElement.scrollWidth, innerWidth: window.innerWidth })');
    return Math.max(0, scrollWidth - innerWidth);
  }

  /** Closes the browser. @throws AssertionError if a page has complained, or has asked another origin */
  async leave(): Promise<void> {
    await this.context.close();
    const unexpected = this.complaints.filter(
      (text) => !this.expected.some((expected) => expected.test(text)),
    );
    assert.deepEqual(unexpected, []);
  }

  private complain(text: string): void {
    this.complaints.push(text);
  }
}

/** For {@link Visitor.expect}: the browser says so of a document that was asked for. */
export const refused = (): RegExp => new RegExp(`^console: ${STATUS_OF_A_DOCUMENT.source.slice(1)}`);
