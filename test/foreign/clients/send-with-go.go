// Sends one message of each kind that amqp091-go can send. Its one argument is JSON: url, exchange, keys.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

type target struct{ URL, Exchange, Keys string }

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	var to target
	must(json.Unmarshal([]byte(os.Args[1]), &to))
	connection, err := amqp.Dial(to.URL)
	must(err)
	channel, err := connection.Channel()
	must(err)
	must(channel.Confirm(false))

	send := func(kind, name string, message amqp.Publishing) {
		if message.Body == nil {
			message.Body, err = json.Marshal(map[string]string{"case": name})
			must(err)
		}
		key := to.Keys + "." + kind + "." + name
		confirm, err := channel.PublishWithDeferredConfirmWithContext(context.Background(), to.Exchange, key, false, false, message)
		must(err)
		if !confirm.Wait() {
			log.Fatal("not confirmed")
		}
	}

	send("json", "plain", amqp.Publishing{})
	send("json", "whole-numbers", amqp.Publishing{Headers: amqp.Table{
		"byte": byte(200), "int8": int8(-5), "int16": int16(5), "int32": int32(5), "int64": int64(5), "int": 5,
		"beyond-double": int64(1<<53 + 1), "most": int64(1<<63 - 1)}})
	send("json", "fractions", amqp.Publishing{Headers: amqp.Table{
		"float": float32(1.5), "tenth": float32(0.1), "double": 1.5, "whole": 2.0}})
	send("json", "decimals", amqp.Publishing{Headers: amqp.Table{"price": amqp.Decimal{Scale: 2, Value: 1990}}})
	send("json", "moments", amqp.Publishing{Headers: amqp.Table{"at": time.Unix(1700000000, 0)}})
	send("json", "texts", amqp.Publishing{Headers: amqp.Table{
		"umlauts": "grüße", "empty": "", "not-utf8": "\xff\x80", "bytes": []byte{0xff, 0x00}}})
	send("json", "nothing", amqp.Publishing{Headers: amqp.Table{"nothing": nil, "true": true, "false": false}})
	send("json", "nested", amqp.Publishing{Headers: amqp.Table{
		"table": amqp.Table{"int64": int64(7), "deeper": amqp.Table{"float": float32(0.5), "none": nil}},
		"list":  []interface{}{int16(1), int64(2), "text", nil, amqp.Table{"in": "it"}}}})
	send("json", "properties", amqp.Publishing{ContentType: "application/json", ContentEncoding: "utf-8", Priority: 5,
		CorrelationId: "c-1", ReplyTo: "answers", Expiration: "600000", MessageId: "m-1", Timestamp: time.Unix(1700000000, 0),
		Type: "order", UserId: "guest", AppId: "shop", DeliveryMode: amqp.Persistent})
	send("json", "binary-ids", amqp.Publishing{MessageId: "\x80\x81", CorrelationId: "\xf0\xff"})
	send("bytes", "text", amqp.Publishing{ContentType: "text/plain", Body: []byte("ON")})
	send("bytes", "empty", amqp.Publishing{Body: []byte{}})
	must(connection.Close())
}
