import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingUpPage } from '../test/stacks/docs-tables.js';
import { ROWS } from '../test/stacks/rows/index.js';
import { alertsPage } from './docs/alerts-page.js';
import { errorsPage } from './docs/errors-page.js';
import { eventsPage } from './docs/events-page.js';
import { optionsPage } from './docs/options-page.js';
import { root } from './docs/source.js';

const ALERTS = 'docs/alerts.md';
const SETTING_UP = 'docs/setting-up.md';

for (const [path, text] of [
  ['docs/options.md', optionsPage()],
  ['docs/errors.md', errorsPage()],
  ['docs/events.md', eventsPage()],
  [ALERTS, alertsPage(readFileSync(join(root, ALERTS), 'utf8'))],
  [SETTING_UP, settingUpPage(readFileSync(join(root, SETTING_UP), 'utf8'), ROWS)],
] as const) {
  writeFileSync(join(root, path), text);
  console.log(`wrote ${path}`);
}
