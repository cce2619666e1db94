const SAID_MS = 1_500;

/** Buttons that copy the code beside them. */
export function beginCopying(): void {
  document.addEventListener('click', (event) => {
    const button = (event.target as Element).closest<HTMLElement>('[data-copy]');
    const code = button?.closest('.code, .id')?.querySelector('code');
    if (button && code) void copy(button, code);
  });
}

async function copy(button: HTMLElement, code: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(code.textContent ?? '');
    say(button, 'Copied');
  } catch {
    // Without https a browser has no clipboard for us: it is selected then, for the reader to copy.
    getSelection()?.selectAllChildren(code);
    say(button, 'Selected');
  }
}

/** Changes the text and not its node: the view goes on with it. */
function say(button: HTMLElement, text: string): void {
  const node = button.firstChild;
  if (!(node instanceof Text)) return;
  node.data = text;
  setTimeout(() => {
    node.data = 'Copy';
  }, SAID_MS);
}
