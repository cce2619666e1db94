#!/usr/bin/env bash
# An application of @golevelup/nestjs-rabbitmq that is closed while messages wait closes its channel without cancelling its consumers: the
# messages whose handlers have begun meanwhile can't be acked any more, and are handled again by the next process. The rejection that
# follows is nobody's, and ends a process that does not listen to those. With `cancelConsumer()` of each of its `consumerTags`
# before, none is handled twice.
#
# Seen: @golevelup/nestjs-rabbitmq 9.0.2, @nestjs/core 11.2.10 (npm), RabbitMQ 3.10.8. Needs: rabbitmq-server, node, npm.
#   golevelup-handles-again-after-a-stop.sh: of 300 messages, over three stops: some were handled twice
#   golevelup-handles-again-after-a-stop.sh: with cancelConsumer() first: none was handled twice
source "$(dirname "$0")/support/private-node.sh"

start_node
npm_packages @golevelup/nestjs-rabbitmq@9.0.2 @nestjs/common@11.2.10 @nestjs/core@11.2.10 reflect-metadata@0.2.2 rxjs@7.8.2
cat >"$DIR/program.mjs" <<'JS'
import 'reflect-metadata';
import { setTimeout } from 'node:timers/promises';
import golevelup from '@golevelup/nestjs-rabbitmq';
import common from '@nestjs/common';
import core from '@nestjs/core';
const [, , uri, queue, cancels] = process.argv;
const { AmqpConnection, RabbitMQModule, RabbitSubscribe } = golevelup;
process.on('unhandledRejection', () => {}); // of the acks: this process goes on
const handled = [];
let then = () => {};
class Mailer {
  async send({ id }) {
    handled.push(id);
    then();
    await setTimeout(5);
  }
}
// What @RabbitSubscribe(...) above send(), @Injectable() above Mailer and @Module(...) above App are compiled to.
const options = { exchange: 'mails', routingKey: queue, queue };
RabbitSubscribe(options)(Mailer.prototype, 'send', Object.getOwnPropertyDescriptor(Mailer.prototype, 'send'));
common.Injectable()(Mailer);
class App {}
const exchanges = [{ name: 'mails', type: 'topic' }];
const rabbit = RabbitMQModule.forRoot({ uri, exchanges, connectionInitOptions: { wait: true } });
common.Module({ imports: [rabbit], providers: [Mailer] })(App);
async function open() {
  const app = await core.NestFactory.createApplicationContext(App, { logger: false });
  return { app, connection: app.get(AmqpConnection) };
}
const reached = (count) =>
  new Promise((resolve) => {
    then = () => handled.length >= count && resolve();
    then();
  });
const first = await open();
await Promise.all(Array.from({ length: 300 }, (_, id) => first.connection.publish('mails', queue, { id })));
let { app, connection } = first;
for (const count of [50, 100, 150]) {
  await reached(count);
  if (cancels) for (const tag of connection.consumerTags) await connection.cancelConsumer(tag);
  await app.close();
  ({ app, connection } = await open());
}
while (new Set(handled).size < 300) await setTimeout(50);
await setTimeout(500);
console.log(`${handled.length === 300 ? 'none was' : 'some were'} handled twice`);
process.exit(0);
JS
run() { (cd "$DIR" && node program.mjs "$AMQP_URL" "$@"); }
expect 'of 300 messages, over three stops' 'some were handled twice' "$(run plain)"
expect 'with cancelConsumer() first' 'none was handled twice' "$(run cancelled yes)"
