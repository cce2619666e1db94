/**
 * A value as JSON writes it.
 *
 * @throws TypeError that says why it can't be: a cycle, a bigint, a function
 */
export function jsonText(value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`a ${typeof value} has no JSON form`);
  return text;
}
