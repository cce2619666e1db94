# Sends one message of each kind that bunny can send. Its one argument is JSON: url, exchange, keys.
require 'bunny'
require 'json'

to = JSON.parse(ARGV[0])
connection = Bunny.new(to['url']).start
channel = connection.create_channel
channel.confirm_select
exchange = channel.exchange(to['exchange'], passive: true)

send = lambda do |kind, name, body = nil, **options|
  # Bunny itself says application/octet-stream.
  exchange.publish(body || JSON.generate('case' => name), { routing_key: [to['keys'], kind, name].join('.') }.merge(options))
end

send.('json', 'plain')
send.('json', 'whole-numbers', headers: {
  'small' => 5, 'negative' => -1, 'int32' => 70_000, 'beyond-int32' => 2**31, 'beyond-double' => 2**53 + 1,
  'most' => 2**63 - 1 })
send.('json', 'fractions', headers: { 'fraction' => 1.5, 'tenth' => 0.1, 'whole' => 2.0 })
send.('json', 'moments', headers: { 'at' => Time.at(1_700_000_000) })
send.('json', 'texts', headers: { 'umlauts' => 'grüße', 'empty' => '', 'not-utf8' => "\xFFabc\x80".b })
send.('json', 'nothing', headers: { 'nothing' => nil, 'true' => true, 'false' => false })
send.('json', 'nested', headers: {
  'table' => { 'int64' => 2**40, 'deeper' => { 'none' => nil, 'fraction' => 0.5 } },
  'list' => [1, 2**40, 'text', [true, { 'in' => 'it' }]] })
send.('json', 'properties', content_type: 'application/json', content_encoding: 'utf-8', priority: 5,
  correlation_id: 'c-1', reply_to: 'answers', expiration: '600000', message_id: 'm-1', timestamp: 1_700_000_000,
  type: 'order', user_id: 'guest', app_id: 'shop')
send.('json', 'binary-ids', message_id: "\x80\x81".b, correlation_id: "\xF0\xFF".b)
send.('json', 'transient', persistent: false)
send.('bytes', 'text', 'ON', content_type: 'text/plain')
send.('bytes', 'not-utf8', "\xFF\xFE".b)
channel.wait_for_confirms or abort 'not confirmed'
connection.close
