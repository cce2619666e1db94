import type { Headers } from '../../../message/properties.js';
import type { StoredMessage } from '../stored-message.js';
import type { Bindings, BoundBy } from './bindings.js';

interface Compared<Bound> {
  readonly headers: readonly (readonly [name: string, value: unknown])[];
  readonly isAny: boolean;
  readonly destination: Bound;
}

/** A `headers` exchange as RabbitMQ has it: what begins with `x-` counts only where `x-match` ends in `-with-x`. */
export class HeaderBindings<Bound> implements Bindings<Bound> {
  private readonly all: Compared<Bound>[] = [];

  add({ arguments: its = {} }: BoundBy, destination: Bound): void {
    const match = String(its['x-match'] ?? 'all');
    const counts = match.endsWith('-with-x')
      ? (name: string) => name !== 'x-match'
      : (name: string) => !name.startsWith('x-');
    const headers = Object.entries(its).filter(([name]) => counts(name));
    this.all.push({ headers, isAny: match.startsWith('any'), destination });
  }

  match({ properties }: StoredMessage): ReadonlySet<Bound> {
    return new Set(
      this.all.filter((each) => accepts(each, properties.headers)).map(({ destination }) => destination),
    );
  }
}

function accepts({ headers, isAny }: Compared<unknown>, given: Readonly<Headers>): boolean {
  const isThere = ([name, value]: readonly [string, unknown]) => given[name] === value;
  return isAny ? headers.some(isThere) : headers.every(isThere);
}
