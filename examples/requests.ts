import { Bus, defineRequest, memory, ResponderError, rabbitmq } from 'hopline';
import { handlers, Replies } from 'hopline/decorators';

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();

/** In a file that both services import. */
const GetQuote = defineRequest<{ sku: string; amount: number }, { cents: number }>('quote.get');

class Quotes {
  private readonly prices = new Map([['tea', 250]]);

  @Replies(GetQuote)
  quote({ sku, amount }: { sku: string; amount: number }): { cents: number } {
    const cents = this.prices.get(sku);
    if (cents === undefined) throw Object.assign(new Error(`there is no ${sku}`), { code: 'UNKNOWN_SKU' });
    return { cents: cents * amount };
  }
}

const shop = new Bus({ service: 'shop', transport, handlers: handlers([Quotes]), failureLog: false });
const web = new Bus({ service: 'web', transport });
await shop.start();
await web.start();

const { cents } = await web.request(GetQuote, { sku: 'tea', amount: 2 }, { timeout: '5s' });
console.log(`two of tea cost ${cents} cents`);
try {
  await web.request(GetQuote, { sku: 'cake', amount: 1 });
} catch (error) {
  if (error instanceof ResponderError) console.log(`${error.remote.code}: ${error.remote.message}`);
}

await web.stop();
await shop.stop();
