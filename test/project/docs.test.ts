import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { alertsPage } from '../../scripts/docs/alerts-page.js';
import { errorsPage } from '../../scripts/docs/errors-page.js';
import { eventsPage } from '../../scripts/docs/events-page.js';
import { logsPage } from '../../scripts/docs/logs-page.js';
import { metricsPage } from '../../scripts/docs/metrics-page.js';
import { optionsPage } from '../../scripts/docs/options-page.js';
import * as historyErrors from '../../src/dashboard/site/history/errors.js';
import * as encryptionErrors from '../../src/encryption/errors.js';
import * as errors from '../../src/errors.js';
import { EVENT_NAMES } from '../../src/events/event-names.js';
import * as main from '../../src/index.js';
import * as operate from '../../src/operate.js';
import * as doctorErrors from '../../src/oversight/management/errors.js';
import * as stores from '../../src/stores/index.js';
import * as testingErrors from '../../src/testing/errors.js';
import * as testing from '../../src/testing/index.js';
import { anchors, codeBlocks, relativeLinks } from './markdown.js';
import { exists, manifest, read, root } from './repository.js';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'examples/webhook-relay/README.md',
  'test/contract/README.md',
  'findings/README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].filter(exists);

describe('the docs', function () {
  // The compiler reads all of it, beside whatever else runs.
  this.timeout(120_000);

  it('have the option table that the doc comments give (else: npm run docs)', () => {
    assert.equal(read('docs/options.md'), optionsPage());
  });

  it("of options name no members of JavaScript's own lists", () => {
    assert.doesNotMatch(read('docs/options.md'), /^\| `(length|concat)` /m);
  });

  it('have the error table that the doc comments give (else: npm run docs)', () => {
    assert.equal(read('docs/errors.md'), errorsPage());
  });

  it('have the table of events that the doc comments give (else: npm run docs), each with when it is emitted', () => {
    const page = eventsPage();
    assert.equal(read('docs/events.md'), page);
    const rows = [...page.matchAll(/^\| `(\w+\.\w+)` \| \[\w+\]\(#\w+\) \| \S/gm)].map(([, name]) => name);
    assert.deepEqual(rows.sort(), [...EVENT_NAMES].sort());
  });

  it('have the table of what alerts measure (else: npm run docs)', () => {
    const page = read('docs/alerts.md');
    assert.match(page, /^\| `queue_length` \|/m);
    assert.equal(page, alertsPage(page));
  });

  it('have the levels and the fields of log lines that the code gives (else: npm run docs)', () => {
    const page = read('docs/logs.md');
    assert.equal(page, logsPage(page));
  });

  it('have the table of metrics that the code has (else: npm run docs)', () => {
    const page = read('docs/metrics.md');
    assert.equal(page, metricsPage(page));
  });

  it('have the table of what makes a bus live and ready as the doc comment has it', () => {
    const table = [...read('src/observe/health/bus-health.ts').matchAll(/^ \* (\|.*)$/gm)].map(
      ([, row]) => row,
    );
    assert.ok(table.length > 5);
    assert.ok(read('docs/operating.md').includes(table.join('\n')));
  });

  it('show pictures that are there', () => {
    const shown = [...read('docs/dashboard.md').matchAll(/ src(?:set)?="([^"]+)"/g)].map(
      ([, path = '']) => path,
    );
    assert.ok(shown.length > 5);
    assert.deepEqual(
      shown.filter((path) => !exists(posix.join('docs', path))),
      [],
    );
  });

  it('list each error code that the library can throw, and no other', () => {
    const thrown = Object.values({
      ...{ ...errors, ...encryptionErrors, ...testingErrors, ...doctorErrors, ...historyErrors },
    })
      .filter((value) => value.prototype instanceof errors.HoplineError)
      .map((errorClass) => errorClass.name);
    const rows = [...read('docs/errors.md').matchAll(/^\| `(\w+)` \| `(HOPLINE_\w+)` \|/gm)];
    assert.deepEqual(rows.map(([, name]) => name).sort(), thrown.sort());

    const codes = rows.map(([, , code]) => code);
    assert.equal(new Set(codes).size, codes.length, 'two errors share a code');
    const groups = ['starting', 'publishing', 'requesting', 'handling', 'jobs', 'operating', 'stores'].map(
      (name) => `errors/${name}`,
    );
    const source = [
      ...groups,
      'encryption/errors',
      'testing/errors',
      'oversight/management/errors',
      'dashboard/site/history/errors',
    ]
      .map((name) => read(`src/${name}.ts`))
      .join('');
    assert.deepEqual(codes.sort(), [...source.matchAll(/\bcode = '(\w+)'/g)].map(([, code]) => code).sort());
  });

  it('list no error that a program meets and can not import from the entry point that they name', () => {
    const rows = [...read('docs/errors.md').matchAll(/^\| `(\w+)` \| `HOPLINE_\w+` \| (.*)$/gm)];
    const met = rows.filter(([, , when = '']) => !/Only (commands|the dashboard)/.test(when));
    assert.ok(met.length > 40);
    const entries: Readonly<Record<string, object>> = {
      hopline: main,
      'hopline/operate': operate,
      'hopline/stores': stores,
      'hopline/testing': testing,
    };
    const isExported = ([, name = '', when = '']: readonly string[]) =>
      name in (entries[/From `(hopline\/\w+)`/.exec(when)?.[1] ?? 'hopline'] ?? {});
    assert.deepEqual(
      met.filter((row) => !isExported(row)).map(([, name]) => name),
      [],
    );
  });

  for (const page of pages) {
    it(`lead somewhere: each relative link of ${page}`, () => {
      const broken = relativeLinks(read(page)).filter((link) => {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : posix.join(posix.dirname(page), path);
        if (!exists(target)) return true;
        return anchor !== undefined && target.endsWith('.md') && !anchors(read(target)).includes(anchor);
      });
      assert.deepEqual(broken, []);
    });

    it(`name commands that exist: each npm script in ${page}`, () => {
      const shell = codeBlocks(read(page)).filter(({ language }) => language === 'sh');
      const commands = shell.flatMap(({ code }) => [...code.matchAll(/\bnpm (?:run )?([\w:-]+)/g)]);
      const unknown = commands
        .map(([, script = '']) => script)
        .filter(
          (script) =>
            !['ci', 'init', 'install', 'pack', 'pkg'].includes(script) && !(script in manifest.scripts),
        );
      assert.deepEqual(unknown, []);
    });

    for (const { example, code } of codeBlocks(read(page)).filter((block) => block.example)) {
      it(`show code that runs: ${page} has ${example} as it is`, () => {
        assert.equal(code, read(example ?? ''));
      });
    }
  }
});
