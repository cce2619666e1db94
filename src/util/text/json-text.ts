/**
 * JSON of a value.
 *
 * @throws TypeError with the reason: a cycle, a bigint, a function
 */
export function jsonText(value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`a ${typeof value} has no JSON form`);
  return text;
}
