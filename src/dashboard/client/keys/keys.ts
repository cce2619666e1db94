import type { Dialogs } from '../dialogs.js';
import { showHelp } from './help.js';
import { moveRow, toggleRow } from './rows.js';
import { areKeysOn } from './switched-on.js';

/** Time in which the second key has to follow `g`. */
const SECOND_KEY_MS = 1_500;

/** Keys that work while nothing is typed. */
export function beginKeys(dialogs: Dialogs): void {
  const help = () => void showHelp(dialogs);
  document.querySelector('[data-help]')?.addEventListener('click', help);
  const keys: Readonly<Record<string, () => void>> = {
    '/': focusSearch,
    j: () => moveRow(1),
    k: () => moveRow(-1),
    x: toggleRow,
    n: () => follow('#page a[rel="next"]'),
    p: () => follow('#page a[rel="prev"]'),
    '?': help,
  };
  let goUntil = 0;
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') leaveField(event.target);
    if (dialogs.isOpen || isTaken(event) || !areKeysOn()) return;
    const isGoing = performance.now() < goUntil;
    goUntil = 0;
    if (isGoing && /^[a-z]$/.test(event.key)) follow(`#nav a[data-key="${event.key}"]`);
    else if (event.key === 'g') goUntil = performance.now() + SECOND_KEY_MS;
    else if (Object.hasOwn(keys, event.key)) keys[event.key]?.();
    else return;
    event.preventDefault();
  });
}

/** True for a key that is for the browser, or for the field that is typed in. */
function isTaken({ target, ctrlKey, metaKey, altKey, defaultPrevented }: KeyboardEvent): boolean {
  return ctrlKey || metaKey || altKey || defaultPrevented || isTypedIn(target);
}

const isTypedIn = (target: EventTarget | null): boolean =>
  target instanceof Element &&
  target.matches('input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable]');

/** The filter of the page if it has one, else the search of everything. */
function focusSearch(): void {
  const field =
    document.querySelector<HTMLInputElement>('#page [data-search]') ??
    document.querySelector<HTMLInputElement>('[data-search]');
  field?.focus();
  field?.select();
}

function leaveField(target: EventTarget | null): void {
  if (target instanceof HTMLElement && isTypedIn(target)) target.blur();
}

function follow(selector: string): void {
  document.querySelector<HTMLAnchorElement>(selector)?.click();
}
