interface Question {
  readonly title: string;
  readonly text: string;
  /** What the button says that does it. */
  readonly yes: string;
  /** True if it can't be taken back: then the button that does nothing is the one that Enter presses. */
  readonly isGrave: boolean;
}

/** Dialogs of the browser's own kind, one at a time. */
export class Dialogs {
  private open: HTMLDialogElement | undefined;

  get isOpen(): boolean {
    return this.open !== undefined;
  }

  /** True if it is wanted. */
  ask({ title, text, yes, isGrave }: Question): Promise<boolean> {
    const no = buttonOf('Cancel', 'no');
    const go = buttonOf(yes, 'yes', isGrave ? 'danger' : 'main');
    (isGrave ? no : go).autofocus = true;
    return this.show(title, [element('p', text)], [no, go]).then((answer) => answer === 'yes');
  }

  /** Resolves once it is closed. */
  async tell(title: string, content: readonly Node[]): Promise<void> {
    const close = buttonOf('Close', 'no');
    close.autofocus = true;
    await this.show(title, content, [close]);
  }

  private show(title: string, content: readonly Node[], buttons: readonly Node[]): Promise<string> {
    if (this.open) return Promise.resolve('no');
    const heading = element('h2', title);
    heading.id = 'dialog-title';
    const form = document.createElement('form');
    form.method = 'dialog';
    const row = document.createElement('div');
    row.className = 'dialog-buttons';
    row.append(...buttons);
    form.append(heading, ...content, row);
    const dialog = document.createElement('dialog');
    dialog.setAttribute('aria-labelledby', heading.id);
    dialog.append(form);
    document.body.append(dialog);
    const back = document.activeElement;
    this.open = dialog;
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => {
        this.open = undefined;
        dialog.remove();
        if (back instanceof HTMLElement) back.focus();
        resolve(dialog.returnValue);
      });
    });
  }
}

export function element(name: string, text: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function buttonOf(text: string, value: string, kind = ''): HTMLButtonElement {
  const button = document.createElement('button');
  button.value = value;
  button.textContent = text;
  button.className = kind;
  return button;
}
