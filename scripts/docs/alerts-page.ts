import type { Measure } from '../../src/observe/alerts/measuring/measure.js';
import { MEASURES } from '../../src/observe/alerts/measuring/measures.js';

const BETWEEN = /(<!-- measures: .* -->\n)[\s\S]*?(<!-- \/measures -->)/;

/** The page with the table of all that rules can be about. */
export function alertsPage(page: string): string {
  const rows = Object.entries(MEASURES).map(([name, measure]: readonly [string, Measure]) => {
    const { what, byDefault = '–', for: holds = '–', within = '–', atLeast } = measure;
    const rule = byDefault === '–' ? byDefault : `\`${byDefault}\``;
    const least = atLeast === undefined ? '' : `, at least ${atLeast}`;
    return `| \`${name}\` | ${what} | ${rule} | ${holds} | ${within}${least} |`;
  });
  const head = '| measure | is | default rule | for | within |\n| --- | --- | --- | --- | --- |';
  return page.replace(BETWEEN, (_whole, begin, end) => `${begin}${head}\n${rows.join('\n')}\n${end}`);
}
