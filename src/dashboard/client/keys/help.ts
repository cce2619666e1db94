import { type Dialogs, element } from '../dialogs.js';
import { areKeysOn, switchKeys } from './switched-on.js';

const KEYS: readonly (readonly [key: string, meaning: string])[] = [
  ['/', 'Search, or filter what is on the page'],
  ['j  k', 'Next row, row before'],
  ['Enter', 'Open the row'],
  ['x', 'Select the row'],
  ['n  p', 'Next part of the list, part before'],
  ['?', 'These keys'],
];

/** Says which keys there are. */
export async function showHelp(dialogs: Dialogs): Promise<void> {
  const pages = [...document.querySelectorAll<HTMLElement>('#nav a[data-key]')].map(
    ({ dataset, textContent }) => [`g ${dataset.key}`, textContent ?? ''] as const,
  );
  const list = document.createElement('dl');
  list.className = 'keys';
  for (const [key, meaning] of [...KEYS, ...pages]) {
    const name = document.createElement('dt');
    name.append(...key.split(/\s+/).flatMap((each) => [element('kbd', each), ' ']));
    list.append(name, element('dd', meaning));
  }
  await dialogs.tell('Keys', [list, switchOf()]);
}

function switchOf(): HTMLElement {
  const box = document.createElement('input');
  box.type = 'checkbox';
  box.checked = areKeysOn();
  box.addEventListener('change', () => switchKeys(box.checked));
  const label = document.createElement('label');
  label.append(box, ' Keys of one letter are on');
  const line = document.createElement('p');
  line.append(label);
  return line;
}
