#!/usr/bin/env bash
# A handler of @golevelup/nestjs-rabbitmq without a queue name, by which each process is to get its own copy, has a durable queue of the
# broker's naming, which is neither exclusive nor deleted with its consumer: each start of a process leaves one behind, which stays
# bound and keeps every message. `queueOptions: { exclusive: true }` has it go with the process.
#
# Seen: @golevelup/nestjs-rabbitmq 9.0.2, @nestjs/core 11.2.10 (npm), RabbitMQ 3.10.8. Needs: rabbitmq-server, node, npm.
#   golevelup-leaves-a-queue-behind.sh: queues and messages after three processes: 3 queues without consumers, 3 messages
#   golevelup-leaves-a-queue-behind.sh: with exclusive: true: 0 queues without consumers, 0 messages
source "$(dirname "$0")/support/private-node.sh"

start_node
npm_packages @golevelup/nestjs-rabbitmq@9.0.2 @nestjs/common@11.2.10 @nestjs/core@11.2.10 reflect-metadata@0.2.2 rxjs@7.8.2
cat >"$DIR/program.mjs" <<'JS'
import 'reflect-metadata';
import golevelup from '@golevelup/nestjs-rabbitmq';
import common from '@nestjs/common';
import core from '@nestjs/core';
const [, , uri, queueOptions = '{}'] = process.argv;
const { AmqpConnection, RabbitMQModule, RabbitSubscribe } = golevelup;
class Cache {
  forget() {}
}
// What @RabbitSubscribe(...) above forget(), @Injectable() above Cache and @Module(...) above App are compiled to.
const options = { exchange: 'config', routingKey: 'changed', queueOptions: JSON.parse(queueOptions) };
RabbitSubscribe(options)(Cache.prototype, 'forget', Object.getOwnPropertyDescriptor(Cache.prototype, 'forget'));
common.Injectable()(Cache);
class App {}
const exchanges = [{ name: 'config', type: 'topic' }];
const rabbit = RabbitMQModule.forRoot({ uri, exchanges, connectionInitOptions: { wait: true } });
common.Module({ imports: [rabbit], providers: [Cache] })(App);
const app = await core.NestFactory.createApplicationContext(App, { logger: false });
const connection = app.get(AmqpConnection);
await connection.channel.checkExchange('config'); // the channel has been asked for the queue before
await app.close();
JS
cat >"$DIR/publish.mjs" <<'JS'
import golevelup from '@golevelup/nestjs-rabbitmq';
const logger = { log() {}, error: console.error, warn() {}, debug() {}, verbose() {} };
const connection = new golevelup.AmqpConnection({ uri: process.argv[2], logger });
await connection.init();
await connection.publish('config', 'changed', {});
await connection.close();
JS
left() {
  local process
  for process in 1 2 3; do (cd "$DIR" && node program.mjs "$AMQP_URL" "$@"); done
  (cd "$DIR" && node publish.mjs "$AMQP_URL")
  ctl list_queues name consumers messages | awk '$1 ~ /^amq/ && $2 == 0 { n++; m += $3 } END { printf "%d queues without consumers, %d messages", n, m }'
}
EXCLUSIVE=$(left '{"exclusive":true}')
expect 'queues and messages after three processes' '3 queues without consumers, 3 messages' "$(left)"
expect 'with exclusive: true' '0 queues without consumers, 0 messages' "$EXCLUSIVE"
