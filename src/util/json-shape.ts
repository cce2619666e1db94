import {
  array,
  finite,
  type GenericSchema,
  type InferOutput,
  literal,
  maxValue,
  minValue,
  nonEmpty,
  number,
  object,
  pipe,
  readonly,
  safeInteger,
  safeParse,
  string,
  transform,
  unknown,
} from 'valibot';
import { LONGEST_MS } from './duration.js';

/*
 * Shapes of JSON that other processes write, as schemas of valibot. Fields that a schema doesn't name are accepted, since
 * versions differ, and are left out of the result.
 */

/** A text that is not empty. */
export const text = pipe(string(), nonEmpty());

/** An integer from 0 on. */
export const whole = pipe(number(), safeInteger(), minValue(0));

/** An integer from 1 on. */
export const count = pipe(number(), safeInteger(), minValue(1));

/** A finite number from 0 on. */
export const figure = pipe(number(), finite(), minValue(0));

/** Milliseconds of a duration that an option may have, 400 days at most. */
export const durationMs = pipe(figure, maxValue(LONGEST_MS));

export const listOf = <Schema extends GenericSchema>(item: Schema) => pipe(array(item), readonly());

/** A list without the items of another shape: one of them costs only itself. */
export const soundOf = <Schema extends GenericSchema>(item: Schema) =>
  pipe(
    array(unknown()),
    transform((items): readonly InferOutput<Schema>[] =>
      items.flatMap((each) => {
        const sound = shaped(item, each);
        return sound === undefined ? [] : [sound];
      }),
    ),
  );

/** Schema of an object with a schema for each field of `Shape`, and for no other: a type and its check can't differ. */
export const shapeOf = <Shape>(fields: { [Name in keyof Shape]-?: GenericSchema<unknown, Shape[Name]> }) =>
  object(fields) as unknown as GenericSchema<unknown, Shape>;

/** The value with the fields that the schema names; undefined if it has another shape. */
export function shaped<Schema extends GenericSchema>(
  schema: Schema,
  value: unknown,
): InferOutput<Schema> | undefined {
  // Else a hostile list makes an issue of each item.
  const { success, output } = safeParse(schema, value, { abortEarly: true });
  return success ? output : undefined;
}

/** What a body says as JSON; undefined for one that is none. */
export function jsonIn(body: Buffer | string): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** Content of a body with this `version` and shape; undefined for any other: any program may have written it, and versions differ. */
export function versionedIn<Schema extends GenericSchema>(
  body: Buffer,
  version: number,
  schema: Schema,
): InferOutput<Schema> | undefined {
  const content = jsonIn(body);
  return shaped(object({ version: literal(version) }), content) && shaped(schema, content);
}
