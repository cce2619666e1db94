"""Takes one message from a queue by STOMP, and prints what it sees. Its one argument is JSON: host, stompPort, queue."""
import json
import queue
import sys
import stomp

to = json.loads(sys.argv[1])
frames = queue.Queue()


class Listener(stomp.ConnectionListener):
    def on_message(self, frame):
        frames.put({'headers': frame.headers, 'body': frame.body})

    def on_error(self, frame):
        frames.put({'error': frame.body})


connection = stomp.Connection12([(to['host'], to['stompPort'])], vhost='/')
connection.set_listener('all', Listener())
connection.connect('guest', 'guest', wait=True)
connection.subscribe(f"/amq/queue/{to['queue']}", id='1', ack='auto')
print(json.dumps(frames.get(timeout=20)))
connection.disconnect()
