# Sourced by the scripts beside this folder: a RabbitMQ node of their own, with nothing in common with the machine's, and a folder
# $DIR for all they need. Both are gone when the script ends, however it ends.
#
#   start_node [PLUGIN,PLUGIN]   the installed rabbitmq-server on 127.0.0.1:$AMQP_PORT, with $MQTT_PORT and $STOMP_PORT for such plugins
#   ctl ARGS...                  rabbitmqctl for it
#   need COMMAND PACKAGE         ends the script with what to install, unless the command works
#   npm_packages NAME@VERSION... installed into $DIR, where node programs that are run in it find them
#   expect WHAT EXPECTED SEEN    ends the script, not with 0, unless both are the same
set -euo pipefail

DIR=$(mktemp -d "${TMPDIR:-/tmp}/finding-XXXXXX")
PIDS=()
cleanup() {
  local pid
  for pid in ${PIDS[@]+"${PIDS[@]}"}; do kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done
  rm -rf "$DIR"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

say() { echo "$(basename "$0"): $*"; }
need() { eval "$1" >/dev/null 2>&1 || { say "needs $2 (on Debian: apt-get install $2)" >&2; exit 2; }; }
expect() {
  if [ "$2" = "$3" ]; then say "$1: $3"; return; fi
  say "$1: CHANGED, expected $2, seen $3" >&2
  exit 1
}
npm_packages() {
  need 'npm --version' npm
  npm install --prefix "$DIR" --silent --no-audit --no-fund --ignore-scripts "$@"
}

free_ports() {
  python3 - "$1" <<'PYTHON'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for each in held: each.bind(('127.0.0.1', 0))
print(*(each.getsockname()[1] for each in held))
PYTHON
}

start_node() {
  need 'ls /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server' rabbitmq-server
  local sbin loopback='-kernel inet_dist_use_interface {127,0,0,1}' epmd dist deadline
  sbin=$(ls -d /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin | tail -n 1)
  read -r AMQP_PORT MQTT_PORT STOMP_PORT epmd dist <<<"$(free_ports 5)"
  mkdir "$DIR/data" "$DIR/log" "$DIR/generated"
  head -c 18 /dev/urandom | base64 | tr -d '/+=\n' >"$DIR/.erlang.cookie"
  chmod 400 "$DIR/.erlang.cookie"
  : >"$DIR/rabbitmq-env.conf"
  echo "[${1:-}]." >"$DIR/enabled_plugins"
  {
    echo "listeners.tcp.1 = 127.0.0.1:$AMQP_PORT"
    echo 'log.console = true'
    echo 'log.file = false'
    echo 'disk_free_limit.absolute = 50MB'
    case ${1:-} in *mqtt*) echo "mqtt.listeners.tcp.1 = 127.0.0.1:$MQTT_PORT" ;; esac
    case ${1:-} in *stomp*) echo "stomp.listeners.tcp.1 = 127.0.0.1:$STOMP_PORT" ;; esac
  } >"$DIR/rabbitmq.conf"
  NODE_ENV_VARS=(PATH="$PATH" LANG=C.UTF-8 HOME="$DIR" TMPDIR="$DIR" ERL_EPMD_PORT="$epmd" ERL_EPMD_ADDRESS=127.0.0.1
    RABBITMQ_NODENAME="$(basename "$DIR")@localhost" RABBITMQ_DIST_PORT="$dist" RABBITMQ_CONF_ENV_FILE="$DIR/rabbitmq-env.conf"
    RABBITMQ_CONFIG_FILE="$DIR/rabbitmq.conf" RABBITMQ_ADVANCED_CONFIG_FILE="$DIR/none" RABBITMQ_ENABLED_PLUGINS_FILE="$DIR/enabled_plugins"
    RABBITMQ_GENERATED_CONFIG_DIR="$DIR/generated" RABBITMQ_MNESIA_BASE="$DIR/data" RABBITMQ_FEATURE_FLAGS_FILE="$DIR/feature_flags"
    RABBITMQ_PID_FILE="$DIR/pid" RABBITMQ_LOG_BASE="$DIR/log" RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="$loopback +S 2:2 +sbwt none"
    RABBITMQ_CTL_ERL_ARGS="$loopback" RABBITMQ_CTL_DIST_PORT_MIN=0 RABBITMQ_CTL_DIST_PORT_MAX=0 RUNNING_UNDER_SYSTEMD=1)
  SBIN=$sbin
  env -i "${NODE_ENV_VARS[@]}" epmd >/dev/null 2>&1 &
  PIDS=($!)
  (cd "$DIR" && exec env -i "${NODE_ENV_VARS[@]}" "$sbin/rabbitmq-server") >"$DIR/log/boot.log" 2>&1 &
  # The node first: the port mapper is to outlive it.
  PIDS=($! "${PIDS[@]}")
  deadline=$((SECONDS + 90))
  until grep -q 'Server startup complete' "$DIR/log/boot.log"; do
    if [ $SECONDS -gt $deadline ] || ! kill -0 "${PIDS[0]}" 2>/dev/null; then
      say 'the node did not start:' >&2; tail -n 20 "$DIR/log/boot.log" >&2; exit 2
    fi
    sleep 0.2
  done
  AMQP_URL="amqp://guest:guest@127.0.0.1:$AMQP_PORT"
  BROKER=$(basename "$(dirname "$sbin")" | sed 's/rabbitmq_server-//')
  say "RabbitMQ $BROKER"
}
ctl() { (cd "$DIR" && env -i "${NODE_ENV_VARS[@]}" "$SBIN/rabbitmqctl" --quiet "$@"); }
