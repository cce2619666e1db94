import type { ComponentChildren } from 'preact';
import type { ViewContext } from '../pages/view.js';

export interface ActionFormProps {
  readonly context: Pick<ViewContext, 'base' | 'mayAct' | 'token'>;
  /** Path of the action below the application's, as `/queues/mailer/pause`. */
  readonly path: string;
  /** What the button says. */
  readonly label: string;
  /** For a {@link import('./table.js').Selecting}. */
  readonly id?: string | undefined;
  /** `main` is the one that is meant to be used, at most one of a page; `danger` for what can't be taken back. */
  readonly kind?: 'main' | 'danger' | undefined;
  /** Fields that nobody fills in. */
  readonly fields?: Readonly<Record<string, string>> | undefined;
  /** Fields that somebody fills in: inputs, each with a label. */
  readonly children?: ComponentChildren;
  /**
   * Sentence that says what will happen, asked before it does: `12,431 dead letters will be deleted.` Without script it stands beside a
   * box that has to be ticked.
   */
  readonly confirm?: string | undefined;
  /** Says which of several like buttons it is: `Pause mailer`. */
  readonly title?: string | undefined;
}

/** A button that does something, with what it needs to know. Draws nothing where actions are not allowed. */
export function ActionForm({
  context,
  path,
  label,
  id,
  kind,
  fields = {},
  children,
  confirm,
  title,
}: ActionFormProps) {
  if (!context.mayAct) return null;
  return (
    <form method="post" action={`${context.base}${path}`} class="action" id={id} data-confirm={confirm}>
      <input type="hidden" name="token" value={context.token} />
      {Object.entries(fields).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      {children}
      {confirm === undefined ? null : (
        <label class="sure">
          <input type="checkbox" name="sure" value="yes" required /> {confirm}
        </label>
      )}
      <button type="submit" class={kind} title={title} aria-label={title}>
        {label}
      </button>
    </form>
  );
}

export interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly value?: string | undefined;
  readonly type?: 'text' | 'search' | 'number' | undefined;
  readonly placeholder?: string | undefined;
  /** Of numbers. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly required?: boolean | undefined;
  /** Width in characters. */
  readonly size?: number | undefined;
  readonly labelHidden?: boolean | undefined;
}

/** A field with its label. What somebody has typed stays when the page gets newer figures. */
export const Field = ({ name, label, value, type = 'text', labelHidden, ...rest }: FieldProps) => (
  <label class="field">
    <span class={labelHidden ? 'visually-hidden' : 'field-label'}>{label}</span>
    <input
      type={type}
      name={name}
      defaultValue={value}
      autocomplete="off"
      spellcheck={false}
      data-search={type === 'search' ? '' : undefined}
      list={undefined}
      {...rest}
    />
  </label>
);

export interface TextAreaProps {
  readonly name: string;
  readonly label: string;
  readonly value?: string | undefined;
  readonly rows?: number | undefined;
  readonly required?: boolean | undefined;
  /** Id of the text that says what is wrong with it. */
  readonly describedBy?: string | undefined;
}

/** A field of several lines. */
export const TextArea = ({ name, label, value, rows = 4, required, describedBy }: TextAreaProps) => (
  <label class="field wide">
    <span class="field-label">{label}</span>
    <textarea
      name={name}
      rows={rows}
      required={required}
      spellcheck={false}
      aria-describedby={describedBy}
      defaultValue={value}
    />
  </label>
);

export interface SelectProps {
  readonly name: string;
  readonly label: string;
  /** The chosen one. */
  readonly value: string;
  /** Value and text of each. */
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly labelHidden?: boolean | undefined;
}

/** A choice of one. */
export const Select = ({ name, label, value, options, labelHidden }: SelectProps) => (
  <label class="field">
    <span class={labelHidden ? 'visually-hidden' : 'field-label'}>{label}</span>
    <select name={name}>
      {options.map(([each, text]) => (
        <option key={each} value={each} selected={each === value}>
          {text}
        </option>
      ))}
    </select>
  </label>
);
