import type { Dialogs } from './dialogs.js';

/** Forms that ask before they act, and act once. */
export function beginForms(dialogs: Dialogs): void {
  const agreed = new WeakSet<HTMLFormElement>();
  let sent = new WeakSet<HTMLFormElement>();
  // Back on the page, what was sent may be sent again.
  addEventListener('pageshow', () => {
    sent = new WeakSet();
  });
  // The box beside the button is for readers without script: here the dialog asks, so it is ticked before the browser insists on it.
  document.addEventListener('click', ({ target }) => {
    const form = (target as Element).closest<HTMLButtonElement>('button[type="submit"]')?.form;
    const sure = form?.querySelector<HTMLInputElement>('.sure input');
    if (sure) sure.checked = true;
  });
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.method !== 'post') return;
    if (sent.has(form)) {
      event.preventDefault();
      return;
    }
    const { confirm } = form.dataset;
    if (confirm === undefined || agreed.delete(form)) {
      sent.add(form);
      return;
    }
    event.preventDefault();
    void ask(dialogs, form, confirm, event.submitter).then((isWanted) => {
      if (!isWanted || !form.isConnected) return;
      agreed.add(form);
      form.requestSubmit(event.submitter);
    });
  });
}

function ask(
  dialogs: Dialogs,
  form: HTMLFormElement,
  text: string,
  submitter: HTMLElement | null,
): Promise<boolean> {
  const button = submitter ?? form.querySelector('button');
  const yes = button?.textContent?.trim() || 'Do it';
  const title = button?.getAttribute('aria-label') ?? yes;
  return dialogs.ask({ title, text, yes, isGrave: button?.classList.contains('danger') ?? false });
}
