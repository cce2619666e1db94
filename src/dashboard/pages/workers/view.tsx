import { Bytes, Count, DurationText } from '../../ui/figures/figures.js';
import { Unknown } from '../../ui/figures/unknown.js';
import { Filter } from '../../ui/filter.js';
import { ActionForm, Field } from '../../ui/form.js';
import { Looked } from '../../ui/looked.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead, Panel } from '../../ui/page-head.js';
import { State, type Tone } from '../../ui/state.js';
import { type Column, Table } from '../../ui/table.js';
import { countedText, countText } from '../../ui/text.js';
import { segmentOf } from '../addresses.js';
import type { View, ViewContext } from '../view.js';
import type { ServiceRow, WorkerRow, WorkersModel } from './model.js';

/** Delay of the event loop from which on consumers and heartbeats of a process are late. */
const LATE_MS = 1_000;

export const WorkersView: View<WorkersModel> = ({ model, context }) => {
  const { text, services, workers, count, total } = model;
  const mixed = services.filter(({ versions }) => versions.length > 1);
  return (
    <>
      <PageHead
        title="Workers"
        lead="Processes that answer over the bus. One that is blocked or stopped does not."
      />
      <Looked of={model.looked} now={context.now} />
      {mixed.length === 0 ? null : <Mixed services={mixed} />}
      <Panel title="Services">
        <Table
          caption="Services and their processes"
          captionHidden
          columns={serviceColumns(context)}
          rows={services}
          keyOf={({ service }) => service}
          empty={<NoWorker />}
        />
      </Panel>
      {total === 0 ? null : (
        <Panel
          title="Processes"
          aside={count > workers.length ? `${countText(workers.length)} of ${countText(count)}` : undefined}
        >
          <Filter href={`${context.base}/workers`} label="Filter processes">
            <Field name="text" label="Service, host, pid or version" type="search" value={text} />
          </Filter>
          <Table
            caption="Processes"
            captionHidden
            columns={workerColumns}
            rows={workers}
            keyOf={({ service, host, pid }) => `${service} ${host} ${pid}`}
            empty={<Empty title={`No process has '${text}' in its service, host, pid or version`} />}
          />
        </Panel>
      )}
    </>
  );
};

const NoWorker = () => (
  <Empty title="No process answers">
    <p>
      Start one with <code>hopline work</code>, or a service with <code>bus.start()</code>. If some run: see
      that prefix and vhost are theirs, and that <code>operatorControl</code> is not off.
    </p>
  </Empty>
);

const Mixed = ({ services }: { readonly services: readonly ServiceRow[] }) => (
  <Notice tone="warn" title="Processes of one service run in several versions">
    <ul>
      {services.map(({ service, versions }) => (
        <li key={service}>
          {service}:{' '}
          {versions
            .map(
              ({ version, processes }) =>
                `${versionText(version)} (${countedText(processes, 'process', 'processes')})`,
            )
            .join(', ')}
        </li>
      ))}
    </ul>
    <p>
      That is so while a deployment is under way. If none is, restart the service, or look at the machines
      that were left out.
    </p>
  </Notice>
);

const versionText = (version: string | undefined): string => version ?? 'no version told';

const serviceColumns = (context: ViewContext): readonly Column<ServiceRow>[] => [
  { label: 'Service', names: true, cell: ({ service }) => service },
  { label: 'Processes', kind: 'number', cell: ({ processes }) => <Count value={processes} /> },
  {
    label: 'Version',
    cell: ({ versions }) => versions.map(({ version }) => versionText(version)).join(', '),
  },
  {
    label: 'Slots busy',
    kind: 'number',
    cell: ({ running, slots }) => `${countText(running)} of ${countText(slots)}`,
  },
  { label: 'Memory', kind: 'number', cell: ({ memory }) => <Bytes value={memory} /> },
  ...(context.mayAct
    ? [{ label: 'Act', cell: (service: ServiceRow) => <Restart service={service} context={context} /> }]
    : []),
];

const Restart = ({
  service: { service, processes, supervised },
  context,
}: {
  readonly service: ServiceRow;
  readonly context: ViewContext;
}) =>
  supervised === 0 ? (
    <span
      class="quiet"
      title="Only hopline work replaces its processes; restart others with whatever started them."
    >
      not supervised
    </span>
  ) : (
    <ActionForm
      context={context}
      path={`/workers/${segmentOf(service)}/restart`}
      label="Restart"
      title={`Restart ${service}`}
      confirm={`${countedText(supervised, 'process', 'processes')} of ${service} will be replaced, one after the other on each machine.${
        supervised < processes
          ? ` Not supervised, and not replaced: ${countText(processes - supervised)}.`
          : ''
      }`}
    />
  );

const TONES: Readonly<Record<string, Tone>> = { started: 'good', starting: 'quiet', stopping: 'warn' };

const workerColumns: readonly Column<WorkerRow>[] = [
  { label: 'Service', names: true, cell: ({ service }) => service },
  { label: 'Host', cell: ({ host }) => host },
  { label: 'Pid', kind: 'number', cell: ({ pid }) => String(pid) },
  { label: 'Version', cell: ({ version }) => version ?? <Unknown why="its bus has no option version" /> },
  { label: 'State', cell: ({ state }) => <State tone={TONES[state] ?? 'quiet'}>{state}</State> },
  { label: 'Up for', kind: 'number', cell: ({ uptimeMs }) => <DurationText value={uptimeMs} /> },
  { label: 'Memory', kind: 'number', cell: ({ memory }) => <Bytes value={memory} /> },
  {
    label: 'Lag',
    kind: 'number',
    hint: 'Longest delay of its event loop within the last 5 to 10 s',
    cell: ({ lagMs }) => (
      <DurationText value={lagMs} tone={(lagMs ?? 0) >= LATE_MS ? 'bad' : undefined} why="it has not told" />
    ),
  },
  {
    label: 'Slots busy',
    kind: 'number',
    cell: ({ running, slots }) => `${countText(running)} of ${countText(slots)}`,
  },
  {
    label: 'Waiting',
    kind: 'number',
    hint: 'Messages in the process that wait for a slot',
    cell: ({ waiting }) => <Count value={waiting} />,
  },
  {
    label: 'Held',
    hint: 'Queues of which nothing starts, because a retry or a dead letter cannot be published',
    cell: ({ held }) => (held.length === 0 ? '' : <State tone="bad">{held.join(', ')}</State>),
  },
];
