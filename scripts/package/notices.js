import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Writes `lib/THIRD_PARTY_NOTICES.md`: name, version and licence of each package that is built in.
 *
 * @param {{ lib: string; files: string[] }} given  the files that were built in
 */
export function writeNotices({ lib, files }) {
  const folders = new Set(files.filter((file) => file.includes('/node_modules/')).map(packageOf));
  const notices = [...folders].sort().map(noticeOf);
  const introduction = `# Third-party notices

\`lib/\` holds code of these packages beside that of Hopline, under the licences below.
`;
  writeFileSync(join(lib, 'THIRD_PARTY_NOTICES.md'), [introduction, ...notices].join('\n'));
}

/** @param {string} file */
function packageOf(file) {
  let folder = dirname(file);
  while (!existsSync(join(folder, 'package.json')) || !nameOf(folder)) folder = dirname(folder);
  return folder;
}

/** A package.json inside a package may say no more than `type`. @param {string} folder */
function nameOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name;
}

/**
 * @param {string} folder
 * @throws if it has no text of a licence
 */
function noticeOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (!file) throw new Error(`${name} is built in, and has no licence file: ${folder}`);
  const text = readFileSync(join(folder, file), 'utf8').trim();
  return `## ${name} ${version} (${license})\n\n\`\`\`text\n${text}\n\`\`\`\n`;
}
