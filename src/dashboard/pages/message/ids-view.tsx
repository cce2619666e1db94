import { Id, KeyValue } from '../../ui/text-blocks.js';
import { batchPath, chainPath, operationPath, searchPath } from '../addresses.js';
import { linkOf } from '../links.js';
import type { ViewContext } from '../view.js';
import type { MessageModel } from './model.js';

interface Props {
  readonly model: MessageModel;
  readonly context: ViewContext;
}

/** Ids, each with the ways to what else has it. */
export function Ids({ model: { ids, letter, queue, row }, context: { base, links } }: Props) {
  const { messageId, correlationId, traceId, chainId, batchId } = ids;
  const linked = { ...ids, queue, handler: row?.handler };
  const [trace, logs] = [linkOf(links.trace, linked), linkOf(links.logs, linked)];
  const found = (id: string) => <a href={`${base}${searchPath(id)}`}>everything with it</a>;
  return (
    <KeyValue
      of={[
        ['Message id', messageId && <Id copy>{messageId}</Id>],
        [
          'Correlation id',
          correlationId && (
            <>
              <Id copy>{correlationId}</Id> {found(correlationId)}
            </>
          ),
        ],
        [
          'Trace',
          traceId && (
            <>
              <Id copy>{traceId}</Id>{' '}
              {trace ? <Outside href={trace}>open the trace</Outside> : found(traceId)}
            </>
          ),
        ],
        ['Logs', logs && <Outside href={logs}>open the logs</Outside>],
        [
          'Chain',
          chainId && (
            <>
              {letter?.chain ? `${letter.chain.place} of ` : null}
              <Id>{chainId}</Id> <a href={`${base}${chainPath(chainId)}`}>its steps</a>
              {letter?.chain?.finished ? <p>The step was handled: a replay sends the next one.</p> : null}
              {letter?.chain && letter.chain.rest.length > 0 ? (
                <p>Then {letter.chain.rest.join(', ')}.</p>
              ) : null}
            </>
          ),
        ],
        [
          'Batch',
          batchId && (
            <a href={`${base}${batchPath(batchId)}`}>
              {letter?.batch ? `job ${letter.batch.number} of ` : null}
              {batchId}
            </a>
          ),
        ],
        [
          'Came back from',
          row?.replay && <a href={`${base}${operationPath(row.replay)}`}>the replay {row.replay}</a>,
        ],
      ]}
    />
  );
}

const Outside = ({ href, children }: { readonly href: string; readonly children: string }) => (
  <a href={href} rel="noreferrer noopener" target="_blank">
    {children}
  </a>
);
