# Sends one message of each kind that Perl's Mojo::RabbitMQ::Client can send. Its one argument is JSON: url, exchange, keys.
use strict;
use warnings;
use Mojo::JSON qw(decode_json encode_json);
use Mojo::RabbitMQ::Client::Publisher;

my $to = decode_json($ARGV[0]);
my $publisher = Mojo::RabbitMQ::Client::Publisher->new(url => "$to->{url}/?exchange=$to->{exchange}");

sub send_one {
    my ($kind, $name, $body, %properties) = @_;
    my $failed;
    # A text is text/plain, a reference is encoded and is application/json, unless the properties say otherwise.
    $publisher->publish_p($body // encode_json({case => $name}), \%properties, routing_key => "$to->{keys}.$kind.$name")
        ->catch(sub { $failed = shift })->wait;
    die $failed if $failed;
}

send_one('json', 'plain');
send_one('json', 'encoded', {case => 'encoded'});
send_one('json', 'octets', undef, content_type => 'application/octet-stream');
send_one('json', 'headers', undef, headers => {int => 5, text => 'abc', fraction => 1.5});
send_one('json', 'properties', undef, priority => 5, correlation_id => 'c-1', reply_to => 'answers', expiration => '600000',
    message_id => 'm-1', type => 'order', app_id => 'shop', delivery_mode => 2);
send_one('bytes', 'text', 'ON');

# Else the process would end with the last one on its way.
my $client = $publisher->client;
$client->on(close => sub { Mojo::IOLoop->stop });
$client->close;
Mojo::IOLoop->start;
