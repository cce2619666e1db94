import { Panel } from '../../ui/page-head.js';
import { Table } from '../../ui/table.js';
import { countedText, countText } from '../../ui/text.js';
import type { Fields } from './model.js';

interface Props {
  readonly title: string;
  readonly fields: Fields;
  readonly empty: string;
}

/** Headers or properties. */
export const FieldsView = ({ title, fields: { rows, count }, empty }: Props) => (
  <Panel title={title} aside={countText(count)}>
    <Table
      caption={title}
      captionHidden
      rows={rows}
      keyOf={({ name }) => name}
      columns={[
        { label: 'Name', kind: 'id', names: true, cell: ({ name }) => name },
        { label: 'Value', kind: 'id', cell: ({ value }) => value },
      ]}
      empty={<p class="quiet">{empty}</p>}
    />
    {count > rows.length ? (
      <p class="quiet">{countedText(count - rows.length, 'more is', 'more are')} not shown.</p>
    ) : null}
  </Panel>
);
