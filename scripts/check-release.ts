import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ReleaseFacts, releaseProblems } from './release-problems.js';

/*
 * `node dist/scripts/check-release.js v1.2.3`: whether this tree can be released under that tag. Prints all that is missing;
 * exit code 1 if anything is. The release workflow runs it before all else.
 */

const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const facts: ReleaseFacts = {
  tag: process.argv[2] ?? '',
  manifest: JSON.parse(read('package.json')),
  changelog: read('CHANGELOG.md'),
  repository: process.env.GITHUB_REPOSITORY || undefined,
};
const problems = releaseProblems(facts);
for (const problem of problems) console.error(`not released: ${problem}`);
if (problems.length === 0) console.log(`${facts.tag} can be released`);
process.exitCode = problems.length === 0 ? 0 : 1;
