import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorsPage } from './docs/errors-page.js';
import { eventsPage } from './docs/events-page.js';
import { optionsPage } from './docs/options-page.js';
import { root } from './docs/source.js';

for (const [path, text] of [
  ['docs/options.md', optionsPage()],
  ['docs/errors.md', errorsPage()],
  ['docs/events.md', eventsPage()],
] as const) {
  writeFileSync(join(root, path), text);
  console.log(`wrote ${path}`);
}
