import { markdownTable, numberText } from './tables.js';

/** @typedef {import('./statistics.js').Spread} Spread */

/**
 * A build, as it was measured.
 *
 * @typedef {object} Figures
 * @property {string} name
 * @property {Spread} importMs `import('hopline')`, in a fresh process
 * @property {Spread} helpMs `hopline --help`, the whole process
 * @property {Spread} workMs `hopline work`, from its start until a handler has its first message
 * @property {number} bytes of the installed package
 * @property {number} packages that an empty service has once Hopline is installed
 */

/** @typedef {{ importMs: Spread, nodeMs: Spread }} References  amqplib's import, and `node -e 0` */

/** Upper limits; the times are multiples of the references. */
export const BUDGETS = { importRatio: 1.8, helpRatio: 1.8, bytes: 3_400_000, packages: 20 };

/**
 * A build beside others that were measured in the same run. Only the first is judged by {@link BUDGETS}.
 *
 * @param {Figures} own @param {readonly Figures[]} others @param {References} references
 * @returns {{ table: string, broken: string[] }} Markdown, and a sentence for each budget that is broken
 */
export function startReport(own, others, references) {
  const all = [own, ...others];
  const rows = [
    {
      what: 'import, ms',
      title: "import('hopline')",
      cells: all.map(({ importMs }) => numberText(importMs.median)),
      ...against(own.importMs, references.importMs, 'amqplib', BUDGETS.importRatio),
    },
    {
      what: '`--help`, ms',
      title: 'hopline --help',
      cells: all.map(({ helpMs }) => numberText(helpMs.median)),
      ...against(own.helpMs, references.nodeMs, 'node -e 0', BUDGETS.helpRatio),
    },
    {
      what: '`work` to the first message, ms',
      title: 'hopline work',
      cells: all.map(({ workMs }) => numberText(workMs.median)),
      is: others[0] ? timesText(own.workMs.median / others[0].workMs.median, others[0].name) : '–',
    },
    counted(
      'bytes unpacked',
      all.map(({ bytes }) => bytes),
      BUDGETS.bytes,
    ),
    counted(
      'packages installed',
      all.map(({ packages }) => packages),
      BUDGETS.packages,
    ),
  ];
  const head = ['', ...all.map(({ name }) => name), `${own.name} is`, 'budget', 'within'];
  const lines = rows.map(({ what, cells, is, limit, isWithin }) => [
    what,
    ...cells,
    is,
    limit === undefined ? '–' : `≤ ${limit}`,
    verdict(isWithin),
  ]);
  const conditions = `amqplib is imported in ${numberText(references.importMs.median)} ms; \`node -e 0\` takes ${numberText(references.nodeMs.median)} ms.`;
  return {
    table: `${markdownTable(head, lines)}

${conditions}`,
    broken: rows
      .filter(({ isWithin }) => isWithin === false)
      .map(({ title, is, limit }) => `${title}: ${is}, which may be ${limit} at most`),
  };
}

/** @param {Spread} own @param {Spread} reference @param {string} name @param {number} most */
function against(own, reference, name, most) {
  const ratio = own.median / reference.median;
  return { is: timesText(ratio, name), limit: timesText(most, name), isWithin: ratio <= most };
}

/** @param {string} what @param {readonly number[]} counts  of all builds, the judged one first @param {number} most */
function counted(what, counts, most) {
  const cells = counts.map((count) => numberText(count));
  return { what, title: what, cells, is: cells[0], limit: numberText(most), isWithin: counts[0] <= most };
}

/** @param {number} ratio @param {string} name */
const timesText = (ratio, name) => `${ratio.toFixed(2)} × ${name}`;

/** @param {boolean | undefined} isWithin */
const verdict = (isWithin) => (isWithin === undefined ? '–' : isWithin ? 'yes' : '**no**');
