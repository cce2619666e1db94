import assert from 'node:assert/strict';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import * as v from 'valibot';
import { z } from 'zod';
import { PayloadInvalidError } from '../../../src/errors.js';
import { defineMessage } from '../../../src/message/define-message.js';
import { validate } from '../../../src/serialization/validate.js';

const CANARY = 'canary-77aa';

function schema(check: (value: unknown) => unknown): StandardSchemaV1 {
  return {
    '~standard': { version: 1, vendor: 'test', validate: check as StandardSchemaV1.Props['validate'] },
  };
}

describe('validation', () => {
  it('without a schema gives the payload back as it is', () => {
    const payload = { id: 1 };
    assert.equal(validate(defineMessage('order.placed'), payload), payload);
  });

  it("gives the schema's output, without a promise if the schema needs none", () => {
    const order = z.object({ id: z.number(), at: z.coerce.date(), note: z.string().default('none') });
    const definition = defineMessage('order.placed', order);
    assert.deepEqual(validate(definition, { id: 1, at: '2026-01-05T09:00:00Z', extra: true }), {
      id: 1,
      at: new Date('2026-01-05T09:00:00Z'),
      note: 'none',
    });
  });

  it('waits for a schema that checks asynchronously, good or bad', async () => {
    const good = defineMessage(
      'a',
      schema(async (value) => ({ value: [value] })),
    );
    const pending = validate(good, 1);
    assert.ok(pending instanceof Promise);
    assert.deepEqual(await pending, [1]);
    const bad = defineMessage(
      'a',
      schema(async () => ({ issues: [{ message: 'no', path: ['id'] }] })),
    );
    await assert.rejects(validate(bad, 1) as Promise<unknown>, PayloadInvalidError);
  });

  it('has no value in its reasons where a library quotes them', () => {
    const definition = defineMessage(
      'user.created',
      v.object({ email: v.pipe(v.string(), v.email()), age: v.number(), tags: v.array(v.number()) }),
    );
    const refused = (payload: unknown, findings: Record<string, string>) =>
      assert.throws(
        () => validate(definition, payload),
        (error) => {
          assert.ok(error instanceof PayloadInvalidError);
          assert.deepEqual(
            Object.fromEntries(error.issues.map(({ path, message }) => [path, message])),
            findings,
          );
          return true;
        },
      );
    refused(
      { email: `${CANARY} (*"\\`, age: CANARY, tags: [1, CANARY] },
      {
        email: 'Invalid email: Received "…"',
        age: 'Invalid type: Expected number but received "…"',
        'tags.1': 'Invalid type: Expected number but received "…"',
      },
    );
    refused(
      { email: 4711, age: undefined, tags: {} },
      {
        email: 'Invalid type: Expected string but received …',
        age: 'Invalid type: Expected number but received undefined',
        tags: 'Invalid type: Expected Array but received Object',
      },
    );
  });

  it('names every finding with its path, and no value', () => {
    const definition = defineMessage(
      'user.created',
      z.object({
        email: z.email(),
        tags: z.array(z.enum(['a', 'b'])),
        nested: z.object({ age: z.number() }),
      }),
    );
    assert.throws(
      () => validate(definition, { email: CANARY, tags: ['a', CANARY], nested: { age: CANARY } }),
      (error) => {
        assert.ok(error instanceof PayloadInvalidError);
        assert.deepEqual(
          error.issues.map(({ path }) => path),
          ['email', 'tags.1', 'nested.age'],
        );
        assert.match(
          error.message,
          /^payload of 'user\.created' is invalid: email: .+; tags\.1: .+; nested\.age: .+$/,
        );
        assert.doesNotMatch(JSON.stringify(error) + error.message + error.help, new RegExp(CANARY));
        return true;
      },
    );
  });

  it('writes paths of every form that the standard allows', () => {
    const issues = [
      { message: 'whole' },
      { message: 'empty', path: [] },
      { message: 'keys', path: ['a', 0, Symbol('s')] },
      { message: 'segments', path: [{ key: 'a' }, { key: 1 }] },
    ];
    const definition = defineMessage(
      'a',
      schema(() => ({ issues })),
    );
    assert.throws(
      () => validate(definition, 1),
      (error) => {
        assert.ok(error instanceof PayloadInvalidError);
        assert.deepEqual(
          error.issues.map(({ path }) => path),
          ['', '', 'a.0.Symbol(s)', 'a.1'],
        );
        assert.match(error.message, /invalid: \(root\): whole; /);
        return true;
      },
    );
  });

  it("passes on what the schema's own code throws, as it is", async () => {
    const broken = new Error('the database is down');
    const throwing = schema(() => {
      throw broken;
    });
    assert.throws(
      () => validate(defineMessage('a', throwing), 1),
      (error) => error === broken,
    );
    const rejecting = schema(() => Promise.reject(broken));
    await assert.rejects(
      validate(defineMessage('a', rejecting), 1) as Promise<unknown>,
      (error) => error === broken,
    );
  });

  it('takes an empty value for a value: undefined, null and 0 may be outputs', () => {
    for (const value of [undefined, null, 0, '']) {
      assert.equal(
        validate(
          defineMessage(
            'a',
            schema(() => ({ value })),
          ),
          1,
        ),
        value,
      );
    }
  });
});
