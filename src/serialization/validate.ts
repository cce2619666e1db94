import type { StandardSchemaV1 } from '@standard-schema/spec';
import { PayloadInvalidError } from '../errors.js';
import type { MessageDefinition } from '../message/define-message.js';

/**
 * The payload as the definition's schema gives it back. A promise only if the schema's own check is one.
 *
 * @throws PayloadInvalidError with the path of each finding and no values
 */
export function validate(definition: MessageDefinition, payload: unknown): unknown | Promise<unknown> {
  if (!definition.schema) return payload;
  const result = definition.schema['~standard'].validate(payload);
  return result instanceof Promise
    ? result.then((late) => unwrap(definition, late))
    : unwrap(definition, result);
}

function unwrap(definition: MessageDefinition, result: StandardSchemaV1.Result<unknown>): unknown {
  if (!result.issues) return result.value;
  throw new PayloadInvalidError(
    definition.key,
    result.issues.map(({ path, message }) => ({ path: pathText(path), message })),
  );
}

function pathText(path: StandardSchemaV1.Issue['path']): string {
  return (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
}
