const KEY = 'hopline-theme';

const system = matchMedia('(prefers-color-scheme: dark)');
const isDark = (): boolean =>
  (document.documentElement.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark';

/** Told to whatever has read colours and draws with them. */
export const THEME_CHANGED = 'hopline-theme-changed';

/** Dark or light as the system has it, unless the reader wants the other, here and from now on. */
export function beginTheme(): void {
  const kept = stored();
  if (kept !== undefined) document.documentElement.dataset.theme = kept;
  const toggle = document.querySelector('[data-theme-toggle]');
  const tell = () => {
    toggle?.setAttribute('aria-pressed', String(isDark()));
    document.dispatchEvent(new Event(THEME_CHANGED));
  };
  toggle?.addEventListener('click', () => {
    const wanted = isDark() ? 'light' : 'dark';
    document.documentElement.dataset.theme = wanted;
    store(wanted);
    tell();
  });
  system.addEventListener('change', tell);
  tell();
}

function stored(): 'dark' | 'light' | undefined {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'dark' || kept === 'light' ? kept : undefined;
  } catch {
    // A browser that keeps nothing for this page.
    return undefined;
  }
}

function store(theme: string): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // It holds for this page, then.
  }
}
