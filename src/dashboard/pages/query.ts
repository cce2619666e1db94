/** A text of a query, without the space around it; cut, since it comes back with the page. */
export const textOf = (query: URLSearchParams, name: string, most = 200): string =>
  (query.get(name) ?? '').trim().slice(0, most);

/** A number of rows to pass over; 0 for what is none. */
export function offsetOf(query: URLSearchParams): number {
  const given = query.get('offset') ?? '';
  return /^\d{1,9}$/.test(given) ? Number(given) : 0;
}

/** One of the allowed values; the first for anything else. */
export const choiceOf = <Choice extends string>(
  query: URLSearchParams,
  name: string,
  choices: readonly [Choice, ...Choice[]],
): Choice => choices.find((choice) => choice === query.get(name)) ?? choices[0];
