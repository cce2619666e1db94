/**
 * The items that fall to one of several processes, every third of three for instance, so that all have some of each kind.
 *
 * @param share such as `2/3`; all of them without one
 * @throws Error if that is no share
 */
export function shareOf<T>(items: readonly T[], share: string | undefined): readonly T[] {
  if (!share) return items;
  const [, own, of] = /^(\d+)\/(\d+)$/.exec(share)?.map(Number) ?? [];
  if (!own || !of || own > of) throw new Error(`expected a share such as 2/3, got '${share}'`);
  return items.filter((_item, place) => place % of === own - 1);
}
