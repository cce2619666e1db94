import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import ts from 'typescript';

/** Files of what must not compile. */
const FILES = ['payload-types', 'request-types'].map((name) => `test/unit/types/${name}.ts`);
const EXPECTED = /^\s*\/\/ @ts-expect-error (TS\d+): .+$/;

const STANDARD = { experimentalDecorators: false, emitDecoratorMetadata: false };

describe('payloads that do not fit their definition', () => {
  const root = findRoot(import.meta.dirname);
  const paths = FILES.map((file) => join(root, file));

  it('are compile errors: the build compiles the files in which each is expected', () => {
    const { fileNames } = config(root);
    for (const path of paths) {
      assert.ok(fileNames.includes(path), `tsconfig.json leaves ${path} out`);
      const built = join(import.meta.dirname, basename(path, '.ts'));
      assert.ok(existsSync(`${built}.js`), `the build has not compiled ${path}`);
    }
  });

  for (const [kind, options] of Object.entries({
    "TypeScript's legacy decorators": {},
    'standard decorators': STANDARD,
  }))
    for (const path of paths)
      it(`are refused for what is wrong with them, and for no other mistake: ${basename(path)} with ${kind}`, function () {
        this.timeout(120_000);
        const lines = readFileSync(path, 'utf8').split('\n');
        const expected = lines.flatMap((line, index) => {
          const code = EXPECTED.exec(line)?.[1];
          return code ? [`${index + 2}: ${code}`] : [];
        });
        assert.ok(expected.length >= 8, 'the expectations were not found');
        assert.equal(expected.length, lines.filter((line) => line.includes('@ts-expect-error TS')).length);
        assert.deepEqual(
          errorsOf(root, path, lines.map((line) => (EXPECTED.test(line) ? '' : line)).join('\n'), options),
          expected,
        );
      });

  it('are refused with standard decorators where a handler is static or private, too', function () {
    this.timeout(120_000);
    const text = `import { Handles, Retry } from '../../../decorators/index.js';
      export class Standing {
        @Handles('a')
        onA(): void {}
        @Handles('b')
        static onB(): void {}
        @Handles('c')
        #onC(): void {}
        @Retry({ tries: 2 })
        static onD(): void {}
      }`;
    assert.deepEqual(errorsOf(root, paths[0] as string, text, STANDARD), [
      '5: TS1241',
      '7: TS1241',
      '9: TS1241',
    ]);
  });
});

/** `line: code` of every error in `path`, compiled with this text instead of its own, and these options. */
function errorsOf(root: string, path: string, text: string, kind: ts.CompilerOptions): string[] {
  const options = { ...config(root).options, ...kind };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, languageVersion, ...rest) =>
    resolve(name) === path
      ? ts.createSourceFile(name, text, languageVersion, true)
      : getSourceFile.call(host, name, languageVersion, ...rest);
  const program = ts.createProgram([path], { ...options, noEmit: true }, host);
  const file = program.getSourceFile(path);
  assert.ok(file);
  return program.getSemanticDiagnostics(file).map(({ code, start = 0 }) => {
    const { line } = file.getLineAndCharacterOfPosition(start);
    return `${line + 1}: TS${code}`;
  });
}

function config(root: string): ts.ParsedCommandLine {
  const file = join(root, 'tsconfig.json');
  return ts.parseJsonConfigFileContent(ts.readConfigFile(file, ts.sys.readFile).config, ts.sys, root);
}

function findRoot(from: string): string {
  return existsSync(join(from, 'tsconfig.json')) ? from : findRoot(resolve(from, '..'));
}
