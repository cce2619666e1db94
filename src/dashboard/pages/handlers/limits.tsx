import type { HandlerReport } from '../../../control/handler-report.js';
import type { RateInForce } from '../../../features/limits/limits-in-force.js';
import { Ago } from '../../ui/figures/figures.js';
import { ActionForm, Field } from '../../ui/form.js';
import { Panel } from '../../ui/page-head.js';
import { countText, durationText } from '../../ui/text.js';
import type { ViewContext } from '../view.js';
import { handlerPath } from './handler-path.js';

interface Of {
  readonly handler: Pick<HandlerReport, 'service' | 'queue' | 'handler' | 'limits'>;
  readonly context: ViewContext;
}

/** Limits of a handler that are in force, and how they are changed. */
export const Limits = ({ handler, context }: Of) => {
  const { rate, concurrency, since } = handler.limits ?? {};
  if (handler.limits === undefined && !context.mayAct) return null;
  return (
    <Panel
      title="Limits"
      aside={
        since === undefined ? undefined : (
          <>
            set by an operator <Ago at={since} now={context.now} />
          </>
        )
      }
    >
      <p>
        {rate === undefined ? 'It starts as often as there are messages' : `It starts ${rateText(rate)}`}
        {concurrency === undefined
          ? '.'
          : `, and runs ${countText(concurrency)} at once at most in each process.`}
      </p>
      <SetLimits handler={handler} context={context} />
      {since === undefined ? null : (
        <ActionForm
          context={context}
          path={`${handlerPath(handler)}/limits/clear`}
          label="Clear"
          title={`Clear the limits of ${handler.handler}`}
          confirm={`The limits of the options of '${handler.handler}' are in force again, in all processes.`}
        />
      )}
    </Panel>
  );
};

const SetLimits = ({ handler, context }: Of) => (
  <ActionForm
    context={context}
    path={`${handlerPath(handler)}/limits/set`}
    label="Set"
    title={`Set the limits of ${handler.handler}`}
    confirm={`All processes limit '${handler.handler}' so, also those that start later, until it is cleared. What is left out stays as it is.`}
  >
    {handler.limits?.rate?.bucket === undefined ? (
      <Field name="rate" label="Rate over all processes" placeholder="50/1m" size={8} />
    ) : null}
    <Field name="concurrency" type="number" label="At once in each process" min={1} max={100_000} size={6} />
  </ActionForm>
);

function rateText({ allow, everyMs, bucket, keyed }: RateInForce): string {
  const often = allow === undefined ? 'as often as each message says' : `${countText(allow)} times`;
  return `${often} in ${durationText(everyMs)} at most${keyed ? ' for each key' : ''}${bucket === undefined ? '' : `, together with all of the bucket ${bucket}`}`;
}
