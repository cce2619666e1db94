import { segmentOf } from '../addresses.js';

/** The page of one handler. */
export const handlerPath = ({
  service,
  queue,
  handler,
}: {
  readonly service: string;
  readonly queue: string;
  readonly handler: string;
}): string => `/handlers/${[service, queue, handler].map(segmentOf).join('/')}`;
