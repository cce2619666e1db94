import assert from 'node:assert/strict';
import ts from 'typescript';
import { Handles, Queue, Retry } from '../../../decorators/index.js';
import { OptionsError } from '../../../src/errors.js';

/** Runs a class as the compiler emits it without `experimentalDecorators`. */
function runStandard(source: string): unknown {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.None };
  const { outputText } = ts.transpileModule(source, { compilerOptions });
  return new Function('Handles', 'Queue', 'Retry', outputText)(Handles, Queue, Retry);
}

describe('decorators that are compiled without experimentalDecorators', () => {
  const cases = {
    'class SendWelcomeEmail': "@Queue({ name: 'q' }) @Handles('a') class SendWelcomeEmail { handle() {} }",
    'method onPlaced': "@Queue({ name: 'q' }) class Orders { @Handles('a') onPlaced() {} }",
    'method onRefund': 'class Refunds { @Retry({ tries: 2 }) static onRefund() {} }',
  };
  for (const [where, source] of Object.entries(cases))
    it(`are refused with the flags to set: on ${where}`, () => {
      assert.throws(
        () => runStandard(source),
        (error) => {
          assert.ok(error instanceof OptionsError, String(error));
          assert.ok(
            error.message.startsWith(
              `decorators: those of ${where} are compiled as standard (TC39) decorators, `,
            ),
            error.message,
          );
          for (const cure of [
            'set experimentalDecorators and emitDecoratorMetadata to true',
            'tsx',
            'legacyDecorator',
            "version: 'legacy'",
          ])
            assert.ok(error.message.includes(cure), cure);
          return true;
        },
      );
    });
});
