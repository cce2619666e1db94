import { z } from 'zod';
import {
  type Bus,
  defineMessage,
  defineRequest,
  type MessageContext,
  type RequestDefinition,
  type Requester,
} from '../../../src/index.js';

/* What must not compile of requests, and what must: see payload-types.ts. */

interface Ask {
  readonly sku: string;
}
interface Quote {
  readonly cents: number;
}

const bare = defineRequest<Ask, Quote>('quote.get');
const checked = defineRequest('quote.find', {
  request: z.object({ sku: z.string(), at: z.coerce.date() }),
  reply: z.object({ cents: z.coerce.number() }),
});
const placed = defineMessage<Ask>('order.placed');

/** The definition's type can be written out: its payloads and replies come from the schemas. */
export const written: RequestDefinition<string, Ask, Ask, Quote, Quote> = bare;

export async function asking(bus: Bus, requester: Requester, context: MessageContext): Promise<void> {
  for (const each of [bus, requester, context]) {
    const quote: Quote = await each.request(bare, { sku: 'tea' });
    const found: { cents: number } = await each.request(checked, { sku: 'tea', at: 0 }, { timeout: '5s' });
    const [first] = await each.requestMany(bare, { sku: 'tea' }, { count: 2 });
    if (first?.status === 'fulfilled') void first.value.cents.toFixed();
    void [quote, found];
    // @ts-expect-error TS2322: the sku is no text
    void each.request(bare, { sku: 1 });
    // @ts-expect-error TS2345: the sku is missing
    void each.request(bare, {});
    // @ts-expect-error TS2554: there is no payload at all
    void each.request(bare);
    // @ts-expect-error TS2322: the timeout has no unit
    void each.request(bare, { sku: 'tea' }, { timeout: '5' });
    // @ts-expect-error TS2561: an unknown option
    void each.request(bare, { sku: 'tea' }, { timout: '5s' });
    // @ts-expect-error TS2353: one request has one reply
    void each.request(bare, { sku: 'tea' }, { count: 2 });
    // @ts-expect-error TS2379: nobody replies to a message
    void each.request(placed, { sku: 'tea' });
    // @ts-expect-error TS2345: nor is a key a definition
    void each.request('quote.get', { sku: 'tea' });
    // @ts-expect-error TS2339: the reply has no such field
    void (await each.request(bare, { sku: 'tea' })).price;
  }
}
