import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually.js';
import type { Visitor } from './visitor.js';

/** Opens the group of this error, once the index has it with so many letters. */
export async function openGroup(visitor: Visitor, error: RegExp, letters: number): Promise<void> {
  const { page } = visitor;
  await eventually(
    async () => {
      await visitor.go('/failures');
      const row = page.getByRole('row').filter({ hasText: error }).first();
      assert.match(await row.innerText({ timeout: 2_000 }), new RegExp(`\\b${letters}\\b`));
      await row.getByRole('link').first().click();
      await page.waitForURL(/\/failures\/[0-9a-f]+/, { timeout: 5_000 });
    },
    { timeout: 60_000, interval: 500 },
  );
}

/** Presses a button of the page, and says yes if that is asked. Resolves where it leads. */
export async function press({ page }: Visitor, name: string | RegExp): Promise<void> {
  const button = page.getByRole('main').getByRole('button', { name, exact: true }).first();
  const asks = await button.evaluate((element) => element.closest('[data-confirm]') !== null);
  const answered = page.waitForNavigation();
  await button.click();
  if (asks) await page.getByRole('dialog').getByRole('button').last().click();
  await answered;
}

/** Waits until the operation on the page has this state. */
export async function becomes({ page }: Visitor, state: string): Promise<void> {
  await eventually(
    async () => assert.match(await textOf(page.locator('main')), new RegExp(`\\b${state}\\b`)),
    {
      timeout: 60_000,
      interval: 200,
    },
  );
}

/** What it says, with one space where a page has any. */
export async function textOf(locator: { innerText(): Promise<string> }): Promise<string> {
  return (await locator.innerText()).replaceAll(/\s+/g, ' ');
}
