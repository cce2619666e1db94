import type { Clock } from '../../util/clock.js';

/**
 * An answer that is asked for once within a time, by however many: a question that costs the broker much. A failure is not kept.
 *
 * @param forMs for how long an answer is good enough
 */
export function freshFor<T>(
  clock: Pick<Clock, 'monotonic'>,
  forMs: number,
  ask: () => Promise<T>,
): () => Promise<T> {
  let last: { readonly until: number; readonly answer: Promise<T> } | undefined;
  return () => {
    if (last && clock.monotonic() < last.until) return last.answer;
    const answer = ask();
    const asked = { until: clock.monotonic() + forMs, answer };
    last = asked;
    answer.catch(() => {
      if (last === asked) last = undefined;
    });
    return answer;
  };
}

/** The same for each object, as a site: what is asked of it is asked once within a time. */
export function freshForEach<Of extends object, T>(
  forMs: number,
  clockOf: (of: Of) => Pick<Clock, 'monotonic'>,
  ask: (of: Of) => Promise<T>,
): (of: Of) => Promise<T> {
  const known = new WeakMap<Of, () => Promise<T>>();
  return (of) => {
    const its = known.get(of) ?? freshFor(clockOf(of), forMs, () => ask(of));
    known.set(of, its);
    return its();
  };
}
