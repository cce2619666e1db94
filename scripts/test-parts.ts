import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of the suite: what one mocha process runs. */
export interface Part {
  readonly name: string;
  readonly files: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Rule {
  readonly name: string;
  /** Tried on the file's path below the tests' folder. */
  readonly takes: RegExp;
  /** Among so many processes are the tests of its files dealt, see `test/support/share.ts`. @default 1 */
  readonly shares?: number;
}

/**
 * The parts in the order in which they begin: the longest first, so that what begins last is short. A file is in the first
 * that takes it, and the last takes everything. Each part boots a broker or two of its own, so they are not many.
 */
const RULES: readonly Rule[] = [
  { name: 'command line: work', takes: /^cli\/(work|control)/ },
  { name: 'command line', takes: /^cli\// },
  { name: 'chaos', takes: /^chaos\// },
  { name: 'this repository', takes: /^project\// },
  { name: 'faults A–B', takes: /^faults\/[a-b]/ },
  { name: 'faults of clusters', takes: /^faults\/cluster/ },
  { name: 'faults C', takes: /^faults\/c/ },
  { name: 'faults D–O', takes: /^faults\/[d-o]/ },
  { name: 'faults P–R', takes: /^faults\/[p-r]/ },
  { name: 'faults S–Z', takes: /^faults\// },
  { name: 'contract on RabbitMQ', takes: /^contract\/amqp\./, shares: 2 },
  { name: 'examples', takes: /^examples\// },
  { name: 'the rest', takes: /./ },
];

/** All test files below this folder but those that have a command of their own, each in one part. Parts without any are left out. */
export function partsOf(folder: string): readonly Part[] {
  const files = testFilesIn(folder);
  const ruleOf = (file: string) => RULES.find(({ takes }) => takes.test(file));
  return RULES.flatMap((rule) => {
    const own = files.filter((file) => ruleOf(file) === rule).map((file) => join(folder, file));
    return own.length > 0 ? dealt(rule, own) : [];
  });
}

/** Those of which a part runs less than there is: see `test/support/long.ts`. */
export function longFilesIn(folder: string): readonly string[] {
  const files = testFilesIn(folder).map((file) => join(folder, file));
  return files.filter((file) => readFileSync(file, 'utf8').includes('/support/long.js'));
}

function dealt({ name, shares = 1 }: Rule, files: readonly string[]): readonly Part[] {
  if (shares === 1) return [{ name, files }];
  return Array.from({ length: shares }, (_none, index) => {
    const share = `${index + 1}/${shares}`;
    return { name: `${name}, ${share}`, files, env: { TEST_SHARE: share } };
  });
}

/** What needs the clients of other people; it has a command of its own, `npm run test:foreign`. */
const ELSEWHERE = /^foreign\//;

/** With `/` between folders. */
function testFilesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.test.js') && !ELSEWHERE.test(file))
    .toSorted();
}
