import assert from 'node:assert/strict';
import { z } from 'zod';
import { OptionsError } from '../../../src/errors.js';
import { defineMessage, isMessageDefinition } from '../../../src/message/define-message.js';

describe('defineMessage', () => {
  it('keeps key and schema, and can not be changed afterwards', () => {
    const schema = z.object({ email: z.string() });
    const definition = defineMessage('email.welcome', schema);
    assert.equal(definition.key, 'email.welcome');
    assert.equal(definition.schema, schema);
    assert.ok(Object.isFrozen(definition));
  });

  it('works with types alone, and with a pattern', () => {
    assert.equal(defineMessage<{ id: number }>('order.placed').schema, undefined);
    assert.equal(defineMessage('order.*.refunded').key, 'order.*.refunded');
  });

  it('refuses a key that can be no pattern', () => {
    for (const key of ['', 'order.pla*', 'x'.repeat(256), 7 as unknown as string]) {
      assert.throws(() => defineMessage(key), OptionsError);
    }
  });

  it('refuses what is no Standard Schema, and says which definition it is', () => {
    for (const schema of [null, {}, { parse() {} }, { '~standard': {} }, () => true]) {
      assert.throws(
        () => defineMessage('order.placed', schema as never),
        (error) => {
          assert.ok(error instanceof OptionsError);
          assert.match(
            error.message,
            /^defineMessage\('order\.placed'\): expected schema to be a Standard Schema/,
          );
          return true;
        },
      );
    }
  });

  it('takes a schema that is a function, as arktype makes them', () => {
    const schema = Object.assign(() => {}, {
      '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
    } as const);
    assert.equal(defineMessage('order.placed', schema).schema, schema);
  });

  it('is told from a pattern and from other objects', () => {
    assert.equal(isMessageDefinition(defineMessage('a')), true);
    for (const other of ['a', null, undefined, {}, { key: 'a' }, ['a']]) {
      assert.equal(isMessageDefinition(other), false);
    }
  });
});
