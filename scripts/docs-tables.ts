import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingUpPage } from '../test/stacks/docs-tables.js';
import { ROWS } from '../test/stacks/rows/index.js';
import { alertsPage } from './docs/alerts-page.js';
import { errorsPage } from './docs/errors-page.js';
import { eventsPage } from './docs/events-page.js';
import { logsPage } from './docs/logs-page.js';
import { metricsPage } from './docs/metrics-page.js';
import { optionsPage } from './docs/options-page.js';
import { root } from './docs/source.js';

const ALERTS = 'docs/alerts.md';
const METRICS = 'docs/metrics.md';
const SETTING_UP = 'docs/setting-up.md';
const LOGS = 'docs/logs.md';
const read = (path: string) => readFileSync(join(root, path), 'utf8');

for (const [path, text] of [
  ['docs/options.md', optionsPage()],
  ['docs/errors.md', errorsPage()],
  ['docs/events.md', eventsPage()],
  [ALERTS, alertsPage(read(ALERTS))],
  [LOGS, logsPage(read(LOGS))],
  [METRICS, metricsPage(read(METRICS))],
  [SETTING_UP, settingUpPage(read(SETTING_UP), ROWS)],
] as const) {
  writeFileSync(join(root, path), text);
  console.log(`wrote ${path}`);
}
