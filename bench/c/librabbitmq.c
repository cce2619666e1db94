/*
 * The same measurement in C, with librabbitmq: what the broker lets through when the client costs next to nothing.
 *
 *   librabbitmq publish|consume host port exchange queue key n warmup size prefetch window each|batch broker-pid
 *
 * The queue is there already, and filled for consuming. Prints the figures as one line of JSON. broker-pid 0 is none.
 */
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static amqp_connection_state_t conn;
static int broker_pid;

static struct {
  double at, user, system, broker;
} start;

static void fail(const char *what) {
  fprintf(stderr, "error: %s\n", what);
  exit(1);
}

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static double seconds_of(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

/* Hundredths of a second, after the command's name in brackets, which may hold blanks. */
static double broker_ms(void) {
  char path[64], text[1024];
  unsigned long user = 0, system = 0;
  if (broker_pid == 0) return 0;
  snprintf(path, sizeof path, "/proc/%d/stat", broker_pid);
  FILE *file = fopen(path, "r");
  if (!file || !fgets(text, sizeof text, file)) fail("no such broker process");
  fclose(file);
  sscanf(strrchr(text, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  return (user + system) * 10.0;
}

static void meter_start(void) {
  struct rusage usage;
  start.broker = broker_ms();
  getrusage(RUSAGE_SELF, &usage);
  start.user = seconds_of(usage.ru_utime);
  start.system = seconds_of(usage.ru_stime);
  start.at = now_s();
}

static void meter_stop(long n) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double seconds = now_s() - start.at;
  double user = seconds_of(usage.ru_utime) - start.user, system = seconds_of(usage.ru_stime) - start.system;
  printf("{\"n\":%ld,\"seconds\":%.3f,\"perSecond\":%.0f,\"cpuUserMs\":%.1f,\"cpuSystemMs\":%.1f,\"cpuPerMessageUs\":%.2f,", n,
         seconds, n / seconds, user * 1e3, system * 1e3, (user + system) * 1e6 / n);
  if (broker_pid) {
    double spent = broker_ms() - start.broker;
    printf("\"brokerCpuMs\":%.0f,\"brokerCpuPerMessageUs\":%.2f,", spent, spent * 1e3 / n);
  }
  printf("\"maxRssMb\":%ld}\n", usage.ru_maxrss / 1024);
}

static void check(amqp_rpc_reply_t reply, const char *what) {
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) fail(what);
}

/* Waits until no more than `left` publishes are unconfirmed. A confirm may speak for many. */
static void await_confirms(uint64_t published, uint64_t *confirmed, uint64_t left) {
  while (published - *confirmed > left) {
    amqp_frame_t frame;
    amqp_maybe_release_buffers(conn);
    if (amqp_simple_wait_frame(conn, &frame) != AMQP_STATUS_OK) fail("waiting for confirms");
    if (frame.frame_type != AMQP_FRAME_METHOD) continue;
    if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD) fail("a publish was not confirmed");
    amqp_basic_ack_t *ack = frame.payload.method.decoded;
    /* In order, as both brokers here confirm what is sent on one channel: single ones are counted. */
    *confirmed = ack->multiple ? ack->delivery_tag : *confirmed + 1;
  }
}

static void publish(char **args, long count, uint64_t *published, uint64_t *confirmed) {
  static char body[1 << 20];
  long size = atol(args[8]), window = atol(args[10]);
  amqp_basic_properties_t properties = {0};
  properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG |
                      AMQP_BASIC_TIMESTAMP_FLAG | AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_APP_ID_FLAG;
  properties.content_type = amqp_cstring_bytes("application/json");
  properties.delivery_mode = 2;
  properties.timestamp = (uint64_t)time(NULL);
  properties.type = amqp_cstring_bytes(args[5]);
  properties.app_id = amqp_cstring_bytes("bench");
  if (size > (long)sizeof body) fail("the body is too large");
  for (long sent = 0; sent < count; sent++) {
    char id[48];
    snprintf(id, sizeof id, "01935a3e-7b8c-7def-8123-%012ld", sent);
    properties.message_id = amqp_cstring_bytes(id);
    int head = snprintf(body, sizeof body, "{\"id\":%06ld,\"text\":\"", sent % 1000000);
    memset(body + head, 'x', size - head);
    memcpy(body + size - 2, "\"}", 2);
    amqp_bytes_t bytes = {size, body};
    if (amqp_basic_publish(conn, 1, amqp_cstring_bytes(args[3]), amqp_cstring_bytes(args[5]), 0, 0, &properties, bytes))
      fail("publishing");
    *published += 1;
    await_confirms(*published, confirmed, window - 1);
  }
  await_confirms(*published, confirmed, 0);
}

static void consume(long count, long every) {
  for (long taken = 1; taken <= count; taken++) {
    amqp_envelope_t envelope;
    amqp_maybe_release_buffers(conn);
    check(amqp_consume_message(conn, &envelope, NULL, 0), "consuming");
    if (taken % every == 0 || taken == count) amqp_basic_ack(conn, 1, envelope.delivery_tag, every > 1);
    amqp_destroy_envelope(&envelope);
  }
}

int main(int argc, char **argv) {
  if (argc != 14) fail("expected 13 arguments");
  char **args = argv + 1;
  /* 0 mode, 1 host, 2 port, 3 exchange, 4 queue, 5 key, 6 n, 7 warmup, 8 size, 9 prefetch, 10 window, 11 ack, 12 pid */
  long n = atol(args[6]), warmup = atol(args[7]), prefetch = atol(args[9]);
  broker_pid = atoi(args[12]);
  conn = amqp_new_connection();
  amqp_socket_t *socket = amqp_tcp_socket_new(conn);
  if (!socket || amqp_socket_open(socket, args[1], atoi(args[2]))) fail("connecting");
  check(amqp_login(conn, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"), "logging in");
  amqp_channel_open(conn, 1);
  check(amqp_get_rpc_reply(conn), "opening the channel");
  if (strcmp(args[0], "publish") == 0) {
    uint64_t published = 0, confirmed = 0;
    amqp_confirm_select(conn, 1);
    publish(args, warmup, &published, &confirmed);
    meter_start();
    publish(args, n, &published, &confirmed);
  } else {
    long every = strcmp(args[11], "batch") == 0 ? (prefetch > 4 ? prefetch / 4 : 1) : 1;
    amqp_basic_qos(conn, 1, 0, prefetch, 0);
    amqp_basic_consume(conn, 1, amqp_cstring_bytes(args[4]), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    check(amqp_get_rpc_reply(conn), "consuming");
    consume(warmup, every);
    meter_start();
    consume(n, every);
  }
  meter_stop(n);
  return 0;
}
