interface Compared {
  readonly source: string;
  readonly pattern: string;
  readonly arguments?: Readonly<Record<string, unknown>> | undefined;
}

/** What a binding asks of its exchange, for comparing: bindings that differ only in their arguments are two. */
export function askedOf({ source, pattern, arguments: its = {} }: Compared): string {
  const sorted = Object.keys(its)
    .sort()
    .map((name) => [name, its[name]]);
  return JSON.stringify([source, pattern, sorted]);
}

/** The same for people: the pattern, or the arguments where there are any. */
export function askedText({ pattern, arguments: its = {} }: Omit<Compared, 'source'>): string {
  return Object.keys(its).length > 0 ? JSON.stringify(its) : `'${pattern}'`;
}

/** The same with who asks: the broker keeps one binding of each. */
export const bindingIdentity = ({
  destination,
  destinationType,
  ...asked
}: Compared & { readonly destination: string; readonly destinationType: 'queue' | 'exchange' }): string =>
  JSON.stringify([destination, destinationType, askedOf(asked)]);
