import { Filter } from '../../ui/filter.js';
import { Field, Select } from '../../ui/form.js';
import type { FailuresModel } from './model.js';
import { REASONS } from './reasons.js';

const STATES = [
  ['live', 'not resolved'],
  ['open', 'open'],
  ['seen', 'seen'],
  ['back', 'back'],
  ['resolved', 'resolved'],
  ['all', 'all'],
] as const;

const SORTS = [
  ['last', 'last failed'],
  ['count', 'most letters'],
  ['first', 'newest'],
  ['name', 'error'],
] as const;

/** What the groups are narrowed and sorted by. */
export function GroupsFilter({ model, href }: { readonly model: FailuresModel; readonly href: string }) {
  const { asked, queues, handlers } = model;
  const any = (names: readonly string[], chosen: string) => [
    ['', 'any'] as const,
    ...[...new Set([...(chosen === '' ? [] : [chosen]), ...names])].map((name) => [name, name] as const),
  ];
  return (
    <Filter href={href} label="Filter groups">
      <Field name="text" label="Text" type="search" value={asked.text} placeholder="error, handler, note" />
      <Select name="state" label="State" value={asked.state} options={STATES} />
      <Select name="queue" label="Queue" value={asked.queue} options={any(queues, asked.queue)} />
      <Select name="handler" label="Handler" value={asked.handler} options={any(handlers, asked.handler)} />
      <Select
        name="reason"
        label="Reason"
        value={asked.reason}
        options={any(Object.keys(REASONS), asked.reason)}
      />
      <Select name="sort" label="Sort by" value={asked.sort} options={SORTS} />
    </Filter>
  );
}
