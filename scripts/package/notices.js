import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {{ title: string; copyright: string[]; terms: string }} Notice */

const INTRODUCTION = `# Third-party notices

Beside the code of Hopline, \`lib/\` holds code of the packages below. A licence that several have stands once, below their
copyright lines.
`;

/**
 * Writes `lib/THIRD_PARTY_NOTICES.md`: version, copyright and licence of each package that is built in.
 *
 * @param {{ lib: string; files: string[] }} given  the files that were built in
 */
export function writeNotices({ lib, files }) {
  const folders = new Set(files.filter((file) => /[\\/]node_modules[\\/]/.test(file)).map(packageOf));
  /** @type {Map<string, Notice[]>} */
  const byTerms = new Map();
  for (const notice of [...folders].sort().map(noticeOf)) {
    const words = notice.terms.replace(/\W+/g, ' ').toLowerCase();
    byTerms.set(words, [...(byTerms.get(words) ?? []), notice]);
  }
  const sections = [...byTerms.values()].map((notices) => {
    const heads = notices.map(({ title, copyright }) => [`## ${title}`, ...copyright].join('\n\n'));
    return `${heads.join('\n\n')}\n\n\`\`\`text\n${notices[0]?.terms}\n\`\`\`\n`;
  });
  writeFileSync(join(lib, 'THIRD_PARTY_NOTICES.md'), [INTRODUCTION, ...sections].join('\n'));
}

/**
 * A package may have folders with manifests of their own: its licence is in its own folder.
 *
 * @param {string} file
 */
const packageOf = (file) => /.*[\\/]node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+/.exec(file)?.[0] ?? '';

/** @param {string} folder */
const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/**
 * @param {string} folder
 * @returns {Notice}
 * @throws if it has no text of a licence
 */
function noticeOf(folder) {
  const { name, version, license } = manifestOf(folder);
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (!file) throw new Error(`${name} is built in, and has no licence file: ${folder}`);
  const lines = readFileSync(join(folder, file), 'utf8').trim().split(/\r?\n/);
  const isCopyright = (/** @type {string} */ line) => /^\s*copyright (\(c\)|©|\d|[A-Z])/i.test(line);
  return {
    title: `${name} ${version} (${license})`,
    copyright: lines.filter(isCopyright).map((line) => line.trim()),
    terms: lines
      .filter((line) => !isCopyright(line))
      .join('\n')
      .trim(),
  };
}
