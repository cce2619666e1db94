import type { IdempotentOption, IdempotentOptions } from './option.js';

/** Handler as it is declared, as far as its store knows it. */
interface Remembering {
  readonly name: string;
  readonly patterns: readonly string[];
  readonly options: IdempotentOption & { readonly inbox?: IdempotentOptions };
}

/**
 * Problems of handlers of one queue that share a name, as sentences. What was handled is known by the handler's name. By messages'
 * ids that does no harm, since each message goes to one handler; by keys of their own, such as an order's number, one handler would
 * skip what only the other has handled.
 */
export function sharedNameProblems(queue: string, handlers: readonly Remembering[]): string[] {
  const rememberedBy = ({ options: { inbox, idempotent } }: Remembering) => inbox ?? idempotent;
  const owners = new Map<string, Remembering>();
  return handlers.filter(rememberedBy).flatMap((handler) => {
    const { name } = handler;
    const owner = owners.get(name);
    owners.set(name, handler);
    if (!owner || !(rememberedBy(owner)?.by || rememberedBy(handler)?.by)) return [];
    const [first, second] = [owner, handler].map(({ patterns }) => `'${patterns.join("', '")}'`);
    return [
      `queue '${queue}': the handlers of ${first} and ${second} are both called ${name}, and with a \`by\` of their own what one has handled the other would skip: give each a name, or one the two patterns`,
    ];
  });
}
