import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allowed, type Edge, forbidden, ringClosings } from './import-edges.js';
import { growFixture } from './import-fixture.js';
import { read, root, run, typeScriptFiles } from './repository.js';

const config = join(root, '.dependency-cruiser.cjs');
const require = createRequire(import.meta.url);

interface Report {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

describe('imports', function () {
  // The whole repository is read, beside whatever else runs.
  this.timeout(120_000);

  describe('of this repository', () => {
    let report: Report;
    before(async () => {
      report = await cruise(root, ['src', 'decorators', 'examples', 'test', 'scripts']);
    });

    // Beside a compiler that it can't use, dependency-cruiser sees no modules, finds no violations and exits 0.
    it('are all seen: no source file is missing from the report', () => {
      const seen = new Set(report.modules.map((module) => module.source));
      const files = typeScriptFiles('src', 'decorators');
      assert.notEqual(files.length, 0);
      assert.deepEqual(
        files.filter((file) => !seen.has(file)),
        [],
      );
    });

    it('go one way', () => {
      assert.deepEqual(
        report.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
        [],
      );
    });

    // Two at a time that share a module fail in Jest's ESM loader on Node.js 20 and 22 (findings/).
    it('are dynamic one after the other', () => {
      const files = typeScriptFiles('src', 'decorators');
      assert.deepEqual(
        files.filter((file) => /Promise\.all\w*\(\s*\[[^\]]*\bimport\(/.test(read(file))),
        [],
      );
    });

    // `import { type T } from './file.js'` loads the file under verbatimModuleSyntax, while the rules, which judge
    // what is named, take it for a type-only edge.
    it('of types alone are written `import type`, which leaves nothing to load', () => {
      const disguised = /^(?:import|export) \{\s*type [^,}]+(?:,\s*type [^,}]+)*,?\s*\} from/m;
      const files = typeScriptFiles('src', 'decorators');
      assert.deepEqual(
        files.filter((file) => disguised.test(read(file))),
        [],
      );
    });
  });

  describe('in a tree that breaks every rule', () => {
    let tree: string;
    let report: Report;
    before(async () => {
      tree = mkdtempSync(join(tmpdir(), 'hopline-imports-'));
      growFixture(tree, [...forbidden, ...allowed, ...ringClosings]);
      report = await cruise(tree, ['src', 'decorators', 'examples', 'test']);
    });
    after(() => rmSync(tree, { recursive: true }));

    const rulesBrokenBy = (file: string) =>
      report.summary.violations.filter(({ from }) => from === file).map(({ rule }) => rule.name);

    for (const edge of forbidden) {
      it(`${edge.rule} reports ${describeEdge(edge)}`, () => {
        const broken = rulesBrokenBy(edge.from);
        assert.ok(broken.includes(edge.rule), `only ${broken.join(', ') || 'nothing'} was reported`);
      });
    }

    for (const edge of allowed) {
      it(`nothing reports ${describeEdge(edge)}`, () => {
        const broken = rulesBrokenBy(edge.from).filter((rule) => rule !== 'no-dead-files');
        assert.deepEqual(broken, []);
      });
    }

    it('every rule there is has been broken', () => {
      const { forbidden: rules } = require(config) as { forbidden: { name: string }[] };
      const tried = new Set(forbidden.map(({ rule }) => rule));
      assert.deepEqual(
        rules.map(({ name }) => name).filter((name) => !tried.has(name)),
        [],
      );
    });
  });
});

async function cruise(top: string, directories: readonly string[]): Promise<Report> {
  const command = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const { stdout } = await run(
    process.execPath,
    [command, ...directories, '--config', config, '--output-type', 'json'],
    { cwd: top, maxBuffer: 64 * 1024 * 1024 },
  );
  return JSON.parse(stdout) as Report;
}

function describeEdge({ from, to, type }: Edge): string {
  return `${from} → ${type ? 'types of ' : ''}${to}`;
}
