<?php
// Sends one message of each kind that php-amqp can send. Its one argument is JSON: host, port, exchange, keys.
$to = json_decode($argv[1]);
$connection = new AMQPConnection(['host' => $to->host, 'port' => $to->port, 'login' => 'guest', 'password' => 'guest']);
$connection->connect();
$channel = new AMQPChannel($connection);
$channel->confirmSelect();
$sent = 0;
$channel->setConfirmCallback(function (int $tag) use (&$sent) { return $tag < $sent; }, fn () => exit(1));
$exchange = new AMQPExchange($channel);
$exchange->setName($to->exchange);

$send = function (string $kind, string $name, ?string $body = null, array $attributes = []) use ($exchange, $to, &$sent) {
    // The extension itself says text/plain.
    $exchange->publish($body ?? json_encode(['case' => $name]), "$to->keys.$kind.$name", AMQP_NOPARAM, $attributes);
    $sent += 1;
};

$send('json', 'plain');
$send('json', 'whole-numbers', null, ['headers' => [
    'small' => 5, 'negative' => -1, 'int32' => 70000, 'beyond-int32' => 2 ** 31, 'beyond-double' => 2 ** 53 + 1,
    'most' => PHP_INT_MAX]]);
$send('json', 'fractions', null, ['headers' => ['fraction' => 1.5, 'tenth' => 0.1, 'whole' => 2.0]]);
$send('json', 'decimals', null, ['headers' => ['price' => new AMQPDecimal(2, 1990)]]);
$send('json', 'moments', null, ['headers' => ['at' => new AMQPTimestamp(1700000000)]]);
$send('json', 'texts', null, ['headers' => ['umlauts' => 'grüße', 'empty' => '', 'not-utf8' => "\xFFabc\x80"]]);
$send('json', 'nothing', null, ['headers' => ['nothing' => null, 'true' => true, 'false' => false]]);
$send('json', 'nested', null, ['headers' => [
    'table' => ['int64' => 2 ** 40, 'deeper' => ['fraction' => 0.5]], 'list' => [1, 2 ** 40, 'text', [true]]]]);
$send('json', 'properties', null, ['content_type' => 'application/json', 'content_encoding' => 'utf-8', 'priority' => 5,
    'correlation_id' => 'c-1', 'reply_to' => 'answers', 'expiration' => '600000', 'message_id' => 'm-1',
    'timestamp' => 1700000000, 'type' => 'order', 'user_id' => 'guest', 'app_id' => 'shop', 'delivery_mode' => 2]);
$send('json', 'binary-ids', null, ['message_id' => "\x80\x81", 'correlation_id' => "\xF0\xFF"]);
$send('bytes', 'text', 'ON');
$send('bytes', 'not-utf8', "\xFF\xFE");
$channel->waitForConfirm(10);
$connection->disconnect();
