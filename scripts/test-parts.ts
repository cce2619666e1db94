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
  /** About how long it takes, or a share of it, beside three others on two cores. */
  readonly seconds: number;
}

/**
 * A file is in the first part that takes it, and the last takes everything. Those that hurt a broker boot one of their own, so they
 * are not many.
 */
const RULES: readonly Rule[] = [
  // With the dead letters of the relay, which has the same names on the broker wherever it runs.
  { name: 'examples', takes: /^(examples\/|cli\/relay\.)/, seconds: 195 },
  { name: 'command line: work', takes: /^cli\/(work|control)/, seconds: 240 },
  // It mostly waits: for what a broker has counted, and for who may still be on its way.
  { name: 'command line: migrate', takes: /^cli\/migrate/, seconds: 230 },
  { name: 'command line', takes: /^cli\//, seconds: 270 },
  { name: 'monitoring', takes: /^monitoring\//, seconds: 45 },
  { name: 'chaos', takes: /^chaos\//, seconds: 55 },
  { name: 'this repository', takes: /^project\//, seconds: 210 },
  { name: 'faults A–B', takes: /^faults\/[a-b]/, seconds: 85 },
  { name: 'faults of clusters', takes: /^faults\/cluster/, seconds: 60 },
  { name: 'faults C', takes: /^faults\/c/, seconds: 115 },
  { name: 'faults D–O', takes: /^faults\/[d-o]/, seconds: 150 },
  { name: 'faults P–R', takes: /^faults\/[p-r]/, seconds: 200 },
  { name: 'faults S–Z', takes: /^faults\//, seconds: 100 },
  { name: 'contract on RabbitMQ', takes: /^contract\/amqp\./, shares: 2, seconds: 270 },
  { name: 'contract in memory', takes: /^contract\//, seconds: 140 },
  { name: 'units', takes: /^unit\//, seconds: 120 },
  { name: 'dashboard', takes: /^dashboard\//, seconds: 140 },
  { name: 'the rest', takes: /./, seconds: 80 },
];

/** As they begin: the longest first, so that what begins last is short. */
const BY_LENGTH = RULES.toSorted((left, right) => right.seconds - left.seconds);

/** All test files below this folder but those that have a command of their own, each in one part. Parts without any are left out. */
export function partsOf(folder: string): readonly Part[] {
  const files = testFilesIn(folder);
  const ruleOf = (file: string) => RULES.find(({ takes }) => takes.test(file));
  return BY_LENGTH.flatMap((rule) => {
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

/** What needs the clients of other people, or some minutes; each has a command of its own, as `npm run test:foreign`. */
const ELSEWHERE = /^(foreign|alerts|next|moving|browser)\//;

/** With `/` between folders. */
function testFilesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.test.js') && !ELSEWHERE.test(file))
    .toSorted();
}
