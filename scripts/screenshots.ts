import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { closeBrowser } from '../test/browser/support/chromium.js';
import { DashboardProcess } from '../test/browser/support/dashboard.js';
import { PHONE, THEMES, type Theme, Visitor } from '../test/browser/support/visitor.js';
import { managedNode } from '../test/cli/managed-node.js';
import { root } from '../test/project/repository.js';
import { eventually } from '../test/support/eventually.js';
import { PicturedShop, PREFIX } from './screenshots/shop.js';

/*
 * `npm run screenshots [-- SECONDS]`: the pictures of `docs/dashboard.md`, of a real application on a RabbitMQ of its own that has run for
 * so long.
 */

const FOLDER = 'docs/images';

/** Of all pictures together: they are in the repository. */
const MAX_BYTES = 1_200_000;

const seconds = Number(process.argv[2] ?? 180);

/** Pages, and how one gets there. */
const PICTURES: Readonly<Record<string, (visitor: Visitor) => Promise<void>>> = {
  overview: async (visitor) => void (await visitor.go('/')),
  failures: async (visitor) => void (await visitor.go('/failures')),
  queues: async (visitor) => void (await visitor.go('/queues')),
  group: openGroup,
  message: openMessage,
};

async function openGroup(visitor: Visitor): Promise<void> {
  await visitor.go('/failures');
  await visitor.page.locator('#page [data-primary]').first().click();
  await visitor.page.waitForURL(/\/failures\/[0-9a-f]+/);
}

async function openMessage(visitor: Visitor): Promise<void> {
  await openGroup(visitor);
  await visitor.page.locator('#page [data-primary]').last().click();
  await visitor.page.waitForURL(/\/messages\//);
}

/** Takes a picture once the page has newer figures, and its charts. */
async function take(
  visitor: Visitor,
  name: string,
  open: (visitor: Visitor) => Promise<void>,
): Promise<string> {
  await open(visitor);
  await eventually(async () => (await visitor.page.locator('#page [aria-busy="true"]').count()) === 0, {
    timeout: 30_000,
  });
  await pause(3_000);
  const path = join(FOLDER, `dashboard-${name}.png`);
  await visitor.page.screenshot({ path: join(root, path) });
  console.log(`wrote ${path}, ${Math.round(statSync(join(root, path)).size / 1_000)} kB`);
  return path;
}

async function takeAll(address: string): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const theme of THEMES as readonly Theme[]) {
    const visitor = await Visitor.come({ address, theme, size: { width: 1_280, height: 900 } });
    for (const [name, open] of Object.entries(PICTURES))
      paths.push(await take(visitor, `${name}-${theme}`, open));
    await visitor.leave();
  }
  const onPhone = await Visitor.come({ address, size: PHONE });
  paths.push(await take(onPhone, 'phone', openGroup));
  await onPhone.leave();
  return paths;
}

const { node, managementUrl } = await managedNode();
const shop = new PicturedShop(node.url);
await shop.start();
const dashboard = await DashboardProcess.start({ url: node.url, prefix: PREFIX, management: managementUrl });
try {
  console.log(`the shop is open for ${seconds} s`);
  await fetch(dashboard.address);
  await pause(seconds * 1_000);
  const paths = await takeAll(dashboard.address);
  const bytes = paths.reduce((sum, path) => sum + statSync(join(root, path)).size, 0);
  console.log(`${Math.round(bytes / 1_000)} kB in all`);
  if (bytes > MAX_BYTES) throw new Error(`the pictures have ${bytes} bytes, expected at most ${MAX_BYTES}`);
} finally {
  await dashboard.stop();
  await shop.stop();
  await node.stop();
  await closeBrowser();
}
