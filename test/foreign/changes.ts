import type { RawMessage } from '../support/raw-channel.js';

/** Where a message is. */
export type Place = 'dead' | 'in its queue' | 'republished';

/** Written by Hopline, or by the broker on the way. */
const ADDED = /^(hopline-.*|x-death|x-(first|last)-death-.*|x-(delivery|acquired)-count)$/;

/** What is there under another name as long as it would act on the way. */
const PUT_ASIDE: Readonly<
  Record<'expiration' | 'userId', { readonly header: string; readonly at: readonly Place[] }>
> = {
  expiration: { header: 'hopline-expiration', at: ['dead'] },
  // The broker refuses any but the connection's own, so it does not come back.
  userId: { header: 'hopline-user-id', at: ['dead', 'in its queue', 'republished'] },
};

/** How many entries the publisher's headers have. */
export const entriesOf = ({ headers }: RawMessage): number =>
  headers.filter(({ name }) => !ADDED.test(name)).length;

/** A line for each header entry of the original that has another tag or value there, is missing, or is new. */
export function changedHeaders(original: RawMessage, there: RawMessage): string[] {
  const before = entriesByName(original);
  const after = entriesByName(there);
  // The broker would route it to those keys once more.
  if (before.has('CC') && !after.has('CC')) after.set('CC', valuesOf(there, 'hopline-cc'));
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.flatMap((name) => {
    const [old, now] = [before.get(name) ?? 'nothing', after.get(name) ?? 'nothing'];
    return old === now ? [] : [`${name}: ${old} is now ${now}`];
  });
}

/** The same for the properties. */
export function changedProperties(original: RawMessage, there: RawMessage, place: Place): string[] {
  const expected: Record<string, string> = { ...original.properties, deliveryMode: '2' };
  const found: Record<string, string | undefined> = { ...there.properties };
  // It gets one if it has none, so that copies of it can be told.
  if (expected.messageId === undefined) delete found.messageId;
  const problems: string[] = [];
  for (const [name, { header, at }] of Object.entries(PUT_ASIDE)) {
    const value = expected[name];
    if (value === undefined || !at.includes(place)) continue;
    delete expected[name];
    if (place !== 'republished' && valuesOf(there, header) !== `S:${value}`)
      problems.push(`${header}: it is ${valuesOf(there, header)} for ${value}`);
  }
  for (const name of new Set([...Object.keys(expected), ...Object.keys(found)]))
    if (expected[name] !== found[name]) problems.push(`${name}: ${expected[name]} is now ${found[name]}`);
  return problems;
}

function entriesByName(message: RawMessage): Map<string, string> {
  const names = new Set(message.headers.map(({ name }) => name).filter((name) => !ADDED.test(name)));
  return new Map([...names].map((name) => [name, valuesOf(message, name)]));
}

/** Of all entries of this name: a table may hold several. */
const valuesOf = ({ headers }: RawMessage, name: string): string =>
  headers
    .filter((header) => header.name === name)
    .map(({ value }) => value)
    .join(' and ');
