import type { ComponentChildren } from 'preact';
import { type KeepOrder, RowOrder } from './row-order.js';

export interface Column<Row> {
  readonly label: string;
  /** `number` stands right, in figures of one width; `id` in a fixed-width type; the default is text. */
  readonly kind?: 'text' | 'number' | 'id' | undefined;
  /** What the column means, where its name doesn't say enough. */
  readonly hint?: string | undefined;
  /** True for the cell that names the row. */
  readonly names?: boolean | undefined;
  cell(row: Row): ComponentChildren;
}

export interface TableProps<Row> {
  /** What the rows are; also the name of the region that scrolls. */
  readonly caption: string;
  /** Hides the caption where a heading above says the same. */
  readonly captionHidden?: boolean | undefined;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** The same for the same row of a newer model: its place, focus and selection stay with it. */
  keyOf(row: Row): string;
  /** Page of the row: where its name leads, and `Enter` on it. */
  hrefOf?(row: Row): string | undefined;
  /** Gives each row a box to select it by, which belongs to the form of this id. */
  readonly select?: Selecting<Row> | undefined;
  /** In place of the table if it has no rows. */
  readonly empty?: ComponentChildren;
}

export interface Selecting<Row> {
  /** Id of an `ActionForm` on the same page. */
  readonly form: string;
  /** Name of the field that each selected row adds to it. */
  readonly name: string;
  valueOf(row: Row): string;
  /** `select the dead letter 4f…`, for those who don't see the row. */
  labelOf(row: Row): string;
}

/** A table; on a narrow screen it scrolls sideways in itself. */
export function Table<Row>(props: TableProps<Row>) {
  const { caption, captionHidden, columns, rows, select, empty } = props;
  if (rows.length === 0 && empty !== undefined) return <>{empty}</>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by the keyboard as well
    <section class="scroll" tabIndex={0} aria-label={caption}>
      <table>
        <caption class={captionHidden ? 'visually-hidden' : undefined}>{caption}</caption>
        <thead>
          <tr>
            {select === undefined ? null : (
              <th scope="col" class="select">
                <span class="visually-hidden">selected</span>
              </th>
            )}
            {columns.map(({ label, kind, hint }) => (
              <th key={label} scope="col" class={kind} title={hint}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <RowOrder.Consumer>
            {(keep) => inOrder(props, keep).map((row) => rowOf(row, props))}
          </RowOrder.Consumer>
        </tbody>
      </table>
    </section>
  );
}

function inOrder<Row>(
  { caption, rows, keyOf }: TableProps<Row>,
  keep: KeepOrder | undefined,
): readonly Row[] {
  if (keep === undefined) return rows;
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  // Keys that are not different say nothing of places.
  if (byKey.size !== rows.length) return rows;
  return keep(caption, [...byKey.keys()]).flatMap((key) => byKey.get(key) ?? []);
}

function rowOf<Row>(row: Row, { columns, keyOf, hrefOf, select }: TableProps<Row>) {
  const href = hrefOf?.(row);
  return (
    <tr key={keyOf(row)} data-row={href === undefined && select === undefined ? undefined : ''}>
      {select === undefined ? null : (
        <td class="select">
          <input
            type="checkbox"
            name={select.name}
            value={select.valueOf(row)}
            form={select.form}
            aria-label={select.labelOf(row)}
          />
        </td>
      )}
      {columns.map(({ label, kind, names, cell }) =>
        names ? (
          <th key={label} scope="row" class={kind}>
            {href === undefined ? (
              cell(row)
            ) : (
              <a href={href} data-primary="">
                {cell(row)}
              </a>
            )}
          </th>
        ) : (
          <td key={label} class={kind}>
            {kind === 'number' ? <span class="end">{cell(row)}</span> : cell(row)}
          </td>
        ),
      )}
    </tr>
  );
}
