#!/usr/bin/env bash
# BullMQ's `add()` resolves when Redis has the job in memory. How much of it is on disk is for Redis to say, and its default settings write a
# snapshot every few minutes at most: 50 jobs that were added are gone when the server is killed, and nothing tells. With
# `--appendonly yes` all 50 survive the same.
#
# Seen: BullMQ 6.7.0, ioredis 5.8.2 (npm), Redis 7.0.15 (Debian 12). Needs: redis-server, node, npm.
#   bullmq-loses-jobs-on-default-redis.sh: default settings: 50 added, 0 after the kill
#   bullmq-loses-jobs-on-default-redis.sh: appendonly: 50 added, 50 after the kill
source "$(dirname "$0")/support/private-node.sh"

need 'redis-server --version' redis-server
npm_packages bullmq@6.7.0 ioredis@5.8.2
cat >"$DIR/program.mjs" <<'JS'
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
const [, , port, count] = process.argv;
const connection = new Redis(Number(port), '127.0.0.1', { maxRetriesPerRequest: null });
const queue = new Queue('mails', { connection });
for (let number = 1; number <= Number(count); number++) await queue.add('welcome', { number });
console.log(await queue.getWaitingCount());
await queue.close();
connection.disconnect();
JS

start_redis() { # PORT OPTIONS...
  : >"$DIR/redis.log"
  redis-server --bind 127.0.0.1 --dir "$DIR" --port "$@" >>"$DIR/redis.log" 2>&1 &
  PIDS=($!)
  until grep -q 'Ready to accept connections' "$DIR/redis.log"; do
    kill -0 "${PIDS[0]}" || { cat "$DIR/redis.log" >&2; exit 2; }
    sleep 0.1
  done
}
survive_kill() { # OPTIONS...
  local port added
  port=$(free_ports 1)
  start_redis "$port" "$@"
  added=$(cd "$DIR" && node program.mjs "$port" 50)
  kill -9 "${PIDS[0]}"
  wait "${PIDS[0]}" 2>/dev/null || true
  start_redis "$port" "$@"
  SEEN="$added added, $(cd "$DIR" && node program.mjs "$port" 0) after the kill"
  kill "${PIDS[0]}"
  wait "${PIDS[0]}" || true
  PIDS=()
}

survive_kill
expect 'default settings' '50 added, 0 after the kill' "$SEEN"
survive_kill --appendonly yes
expect 'appendonly' '50 added, 50 after the kill' "$SEEN"
