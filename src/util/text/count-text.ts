/** `40,000`. */
export const numberText = (count: number): string => count.toLocaleString('en-US');

/** `1 queue`, `2 queues`. */
export const countText = (count: number, what: string): string =>
  `${numberText(count)} ${what}${count === 1 ? '' : 's'}`;
