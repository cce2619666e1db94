/** Where the reader was when focus left the rows. */
let last: Element | undefined;

const rowsOf = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('#page [data-row]')];

/** Focuses the name of the next row, or the one before; from outside, goes on where the reader was, or begins with the first. */
export function moveRow(by: 1 | -1): void {
  const rows = rowsOf();
  const here = document.activeElement?.closest<HTMLElement>('#page [data-row]') ?? undefined;
  const from = here ?? (last?.isConnected ? last : undefined);
  const at = from ? rows.indexOf(from as HTMLElement) : -1;
  const to = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))];
  if (!to) return;
  last = to;
  const its =
    to.querySelector<HTMLElement>('[data-primary]') ??
    to.querySelector<HTMLElement>('a[href], input, button');
  its?.focus({ preventScroll: true });
  to.scrollIntoView({ block: 'nearest' });
}

/** Selects the row that has the focus, or takes it out again. */
export function toggleRow(): void {
  document.activeElement
    ?.closest('[data-row]')
    ?.querySelector<HTMLInputElement>('input[type="checkbox"]')
    ?.click();
}
