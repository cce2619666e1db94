/*
 * Names that are values in JSON, as others write headers: `{"name":"authorization","value":"…"}`, `["authorization","…"]`.
 */

const VALUE_NAME = /^(?:value|val|content)$/i;
const NAMED = /"(?:name|key|field|header)"\s{0,8}:\s{0,8}"((?:[^"\\]|\\.){1,200})"/i;
const TEXT = /\s*"(?:[^"\\]+|\\.)*"?/y;
const FIRST_OF_LIST = /\s*"((?:[^"\\]|\\.){1,200})"\s*,/y;

/** Characters before and behind a value in which its name is looked for. */
const NEAR = 400;

/** Name that the value at a place of JSON belongs to, in the same object; undefined if there is none, as far as it was looked for. */
export function nameBeside(field: string, source: string, at: number): string | undefined {
  if (!VALUE_NAME.test(field)) return undefined;
  const before = source.slice(Math.max(0, at - NEAR), at);
  const [, name] = NAMED.exec(before.slice(before.lastIndexOf('{') + 1)) ?? [];
  if (name !== undefined) return name;
  TEXT.lastIndex = at;
  const from = TEXT.test(source) ? TEXT.lastIndex : at;
  const [behind = ''] = source.slice(from, from + NEAR).split('}', 1);
  return NAMED.exec(behind)?.[1];
}

/** First text of the list that begins at a place of JSON, if more follows. */
export function firstOfList(source: string, at: number): string | undefined {
  FIRST_OF_LIST.lastIndex = at;
  return FIRST_OF_LIST.exec(source)?.[1];
}
