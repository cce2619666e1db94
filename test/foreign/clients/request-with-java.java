import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.RpcClient;
import com.rabbitmq.tools.json.JSONReader;
import com.rabbitmq.tools.json.JSONWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Asks one after the other with the client's RpcClient, and prints the replies. Its one argument is JSON: url, exchange, replyQueue, requests. */
class RequestWithJava {
  private static final int TIMEOUT_MS = 20_000;

  public static void main(String[] args) throws Exception {
    Map<?, ?> to = (Map<?, ?>) new JSONReader().read(args[0]);
    ConnectionFactory factory = new ConnectionFactory();
    factory.setUri((String) to.get("url"));
    List<Object> replies = new ArrayList<>();
    try (Connection connection = factory.newConnection()) {
      var channel = connection.createChannel();
      String replyQueue = (String) to.get("replyQueue");
      if (!replyQueue.startsWith("amq."))
        replyQueue = channel.queueDeclare(replyQueue, false, true, false, null).getQueue();
      for (Object each : (List<?>) to.get("requests")) {
        Map<?, ?> request = (Map<?, ?>) each;
        byte[] body = new JSONWriter().write(request.get("payload")).getBytes("UTF-8");
        String exchange = (String) to.get("exchange");
        RpcClient client =
            new RpcClient(channel, exchange, (String) request.get("routingKey"), replyQueue, TIMEOUT_MS);
        replies.add(seen(client.responseCall(body)));
        client.close();
      }
    }
    System.out.println(new JSONWriter().write(Map.of("replies", replies)));
  }

  private static Map<String, Object> seen(RpcClient.Response response) throws Exception {
    AMQP.BasicProperties properties = response.getProperties();
    Map<String, Object> headers = new HashMap<>();
    if (properties.getHeaders() != null)
      properties.getHeaders().forEach((name, value) -> headers.put(name, String.valueOf(value)));
    Map<String, Object> seen = new HashMap<>();
    seen.put("body", new JSONReader().read(new String(response.getBody(), "UTF-8")));
    seen.put("correlationId", properties.getCorrelationId());
    seen.put("contentType", properties.getContentType());
    seen.put("headers", headers);
    return seen;
  }
}
