import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

/** The debugger's own evaluation, which a page's content security policy does not concern. */
const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[];
}

/** What axe-core, with all of its WCAG 2.2 A and AA rules and its best practices, finds wrong with a page: a sentence for each place. */
export async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  await page.evaluate(`if (!globalThis.axe) { ${SOURCE}\n }`);
  const { violations } = await page.evaluate<{ violations: readonly Violation[] }>('axe.run()');
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary = '' }) => `${id}: ${help}: ${target.join(' ')} (${failureSummary})`),
  );
}
