import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.RpcServer;
import com.rabbitmq.tools.json.JSONReader;
import com.rabbitmq.tools.json.JSONWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Replies to so many requests with the client's RpcServer, and prints what it saw. Its one argument is JSON: url, exchange, routingKey, queue, count. */
class ReplyWithJava {
  public static void main(String[] args) throws Exception {
    Map<?, ?> to = (Map<?, ?>) new JSONReader().read(args[0]);
    ConnectionFactory factory = new ConnectionFactory();
    factory.setUri((String) to.get("url"));
    try (Connection connection = factory.newConnection()) {
      var channel = connection.createChannel();
      String queue = channel.queueDeclare((String) to.get("queue"), false, true, true, null).getQueue();
      channel.queueBind(queue, (String) to.get("exchange"), (String) to.get("routingKey"));
      Prices prices = new Prices(channel, queue, ((Number) to.get("count")).intValue());
      System.out.println("ready");
      prices.mainloop();
      System.out.println(new JSONWriter().write(Map.of("seen", prices.seen)));
    }
  }

  private static class Prices extends RpcServer {
    final List<Object> seen = new ArrayList<>();
    private final int count;

    Prices(com.rabbitmq.client.Channel channel, String queue, int count) throws java.io.IOException {
      super(channel, queue);
      this.count = count;
    }

    @Override
    protected AMQP.BasicProperties postprocessReplyProperties(Delivery request, AMQP.BasicProperties.Builder reply) {
      if (amountOf(request) < 0) reply.headers(Map.of("hopline-reply", "error"));
      return reply.build();
    }

    @Override
    public byte[] handleCall(Delivery request, AMQP.BasicProperties replyProperties) {
      AMQP.BasicProperties properties = request.getProperties();
      Map<String, Object> told = new HashMap<>();
      told.put("payload", payloadOf(request));
      told.put("contentType", properties.getContentType());
      told.put("messageId", properties.getMessageId());
      told.put("expires", properties.getExpiration() != null);
      seen.add(told);
      if (seen.size() == count) terminateMainloop();
      int amount = amountOf(request);
      Map<String, Object> reply =
          amount < 0 ? Map.of("code", "TOO_FEW", "message", "none is left") : Map.of("cents", amount * 3);
      return new JSONWriter().write(reply).getBytes();
    }

    private static Map<?, ?> payloadOf(Delivery request) {
      return (Map<?, ?>) new JSONReader().read(new String(request.getBody()));
    }

    private static int amountOf(Delivery request) {
      return ((Number) payloadOf(request).get("amount")).intValue();
    }
  }
}
