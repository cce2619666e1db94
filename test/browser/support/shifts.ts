import type { Page } from 'playwright-core';

/** From now on the page adds up by how much what is shown moves without the visitor having done anything. */
export async function watchShifts(page: Page): Promise<void> {
  await page.evaluate(`
    globalThis.shifts = [];
    globalThis.shiftObserver = new PerformanceObserver((list) => {
      for (const entry of list.getEntries())
        if (!entry.hadRecentInput)
          globalThis.shifts.push(entry.value.toFixed(4) + ': ' + entry.sources.map(({ node }) =>
            (node?.outerHTML ?? node?.parentElement?.outerHTML ?? node?.textContent ?? 'something').slice(0, 200)).join(' | '));
    });
    globalThis.shiftObserver.observe({ type: 'layout-shift', buffered: false });`);
}

/** Each shift since then: how much of the window has moved, and what. */
export async function shiftsOf(page: Page): Promise<readonly string[]> {
  return page.evaluate<string[]>('globalThis.shifts');
}
