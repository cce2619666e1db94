import { Bus, defineRequest, memory, NoResponderError, ResponderError, rabbitmq } from 'hopline';
import { handlers, Replies } from 'hopline/decorators';
import { z } from 'zod';

// In a file that both services import.
const GetQuote = defineRequest('quote.get', {
  request: z.object({ sku: z.string(), count: z.number().int().positive() }),
  reply: z.object({ cents: z.number() }),
});

class UnknownSku extends Error {
  readonly code = 'SKU_UNKNOWN';
}

/** The service that replies: what its handler returns is the reply, and what it throws comes back with its code. */
class Quotes {
  private readonly prices = new Map([['tea', 250]]);

  @Replies(GetQuote)
  async quote({ sku, count }: { sku: string; count: number }) {
    const cents = this.prices.get(sku);
    if (cents === undefined) throw new UnknownSku(`there is no '${sku}'`);
    return { cents: cents * count };
  }
}

const { AMQP_URL: url } = process.env;
const transport = url ? rabbitmq({ url }) : memory();
const quotes = new Bus({ service: 'quotes', transport, handlers: handlers([Quotes]), failureLog: false });
const shop = new Bus({ service: 'shop', transport });
await shop.start();

const ask = (sku: string) =>
  shop.request(GetQuote, { sku, count: 2 }, { timeout: '5s' }).then(
    ({ cents }) => `${sku}: ${cents} cents`,
    (error) => {
      if (error instanceof NoResponderError) return `${sku}: nobody is there`;
      if (error instanceof ResponderError) return `${sku}: ${error.remote.code}, ${error.remote.message}`;
      throw error;
    },
  );

console.log(await ask('tea'));
await quotes.start();
console.log(await ask('tea'));
console.log(await ask('coffee'));
await quotes.stop();
console.log(await ask('tea'));
await shop.stop();
