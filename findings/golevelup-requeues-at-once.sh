#!/usr/bin/env bash
# A handler of @golevelup/nestjs-rabbitmq that throws has its message requeued at once, without a pause and without an end, unless an error
# behaviour is set: one message that can't be handled is handled hundreds of times a second. And the promise of its `publish()`
# resolves with true for a message that no queue takes.
#
# Seen: @golevelup/nestjs-rabbitmq 9.0.2, @nestjs/core 11.2.10 (npm), RabbitMQ 3.10.8. Needs: rabbitmq-server, node, npm.
#   golevelup-requeues-at-once.sh: one message that fails: over 200 calls in a second
#   golevelup-requeues-at-once.sh: with errorBehavior NACK: 1 call in a second
#   golevelup-requeues-at-once.sh: publish to no queue: true
source "$(dirname "$0")/support/private-node.sh"

start_node
npm_packages @golevelup/nestjs-rabbitmq@9.0.2 @nestjs/common@11.2.10 @nestjs/core@11.2.10 reflect-metadata@0.2.2 rxjs@7.8.2
cat >"$DIR/program.mjs" <<'JS'
import 'reflect-metadata';
import { setTimeout } from 'node:timers/promises';
import golevelup from '@golevelup/nestjs-rabbitmq';
import common from '@nestjs/common';
import core from '@nestjs/core';
const [, , uri, errorBehavior] = process.argv;
const { AmqpConnection, RabbitMQModule, RabbitSubscribe } = golevelup;
let calls = 0;
class Mailer {
  send() {
    calls++;
    throw new Error('no mail server');
  }
}
// What @RabbitSubscribe(...) above send(), @Injectable() above Mailer and @Module(...) above App are compiled to.
const queue = `mails-${errorBehavior ?? 'default'}`;
const options = { exchange: 'mails', routingKey: queue, queue, ...(errorBehavior && { errorBehavior }) };
RabbitSubscribe(options)(Mailer.prototype, 'send', Object.getOwnPropertyDescriptor(Mailer.prototype, 'send'));
common.Injectable()(Mailer);
class App {}
const exchanges = [{ name: 'mails', type: 'topic' }];
const rabbit = RabbitMQModule.forRoot({ uri, exchanges, connectionInitOptions: { wait: true } });
common.Module({ imports: [rabbit], providers: [Mailer] })(App);
const app = await core.NestFactory.createApplicationContext(App, { logger: false });
await app.init();
const connection = app.get(AmqpConnection);
await connection.publish('mails', queue, {});
await setTimeout(1_000);
const seen = calls > 200 ? 'over 200 calls' : `${calls} call${calls === 1 ? '' : 's'}`;
console.log(`${seen} in a second`);
console.log(await connection.publish('mails', 'nobody', {}));
await app.close();
JS
SEEN=$(cd "$DIR" && node program.mjs "$AMQP_URL")
expect 'one message that fails' 'over 200 calls in a second' "$(sed -n 1p <<<"$SEEN")"
expect 'with errorBehavior NACK' '1 call in a second' "$(cd "$DIR" && node program.mjs "$AMQP_URL" NACK | sed -n 1p)"
expect 'publish to no queue' true "$(sed -n 2p <<<"$SEEN")"
