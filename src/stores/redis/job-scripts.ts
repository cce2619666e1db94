/*
 * Scripts on the records of jobs. `KEYS[1]` is the prefix of all of them, in braces so that a cluster keeps them together. After it come
 *
 *   job:ID        hash, a job. s state, v number of the sending that counts, n highest number given, x highest whose move was refused, t when it was sent, d what doesn't
 *                 change, as JSON; with a name: name, and m message, as long as it may be sent again; then due, k time for which it is kept, u until when it may come, f when it
 *                 began first, z when it ended; q queue, h handler, a attempt, r run, host, pid, b when it began: of the run that has
 *                 it, and of the last one when none has; c if it is to be cancelled; pp, pn, pa progress; e error; result, problem,
 *                 reason, dead
 *   open          sorted set of those that have not ended, by the moment of their sending
 *   running       sorted set of those of them that run, by the moment of their sending
 *   ended:STATE   sorted set of the others, by the moment at which they are forgotten
 *   tag:TAG       sorted set, by the moment of their sending
 *   name:NAME     id of the job that has the name, or had it last
 *   named         sorted set of those with a name that have not ended, by the moment at which they are due
 *
 * A script gets the values of one job after the other, as many for each as its head says. '' is a value that isn't there.
 */

/** Before the id of the job that has a name. */
export const HOLDER = 'holder:';

const HEAD = (values: number) => `
local all = KEYS[1]
local answers = {}
local function keyOf(id) return all .. 'job:' .. id end
local function present(value) return value ~= false and value ~= '' end
local function probe(index, at)
  local size = redis.call('ZCARD', index)
  for _, rank in ipairs({ 0, at % math.max(size, 1) }) do
    local id = redis.call('ZRANGE', index, rank, rank)[1]
    if id and redis.call('EXISTS', keyOf(id)) == 0 then redis.call('ZREM', index, id) end
  end
end
local function atLeast(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
end
local function await(id, untilAt, now)
  local known = redis.call('HMGET', keyOf(id), 'u', 'k', 'name', 'd')
  untilAt = math.max(tonumber(known[1]), untilAt)
  local lasts = untilAt - now
  redis.call('HSET', keyOf(id), 'u', untilAt)
  atLeast(keyOf(id), lasts)
  local name = present(known[3]) and all .. 'name:' .. known[3]
  if name and redis.call('GET', name) == id then atLeast(name, lasts) end
  for _, tag in ipairs(cjson.decode(known[4]).tags or {}) do atLeast(all .. 'tag:' .. tag, lasts + known[2]) end
end
local function counts(version, known, state)
  local counting = tonumber(known[1])
  return version == counting or version > counting and version > tonumber(known[2] or 0) and state == 'waiting'
end
local function conclude(id, state, at, keep, name)
  redis.call('PEXPIRE', keyOf(id), keep)
  if state ~= 'dead-lettered' then redis.call('HDEL', keyOf(id), 'm') end
  redis.call('ZREM', all .. 'open', id)
  redis.call('ZREM', all .. 'running', id)
  redis.call('ZADD', all .. 'ended:' .. state, at + keep, id)
  if present(name) then
    redis.call('ZREM', all .. 'named', id)
    if redis.call('GET', all .. 'name:' .. name) == id then
      redis.call('PEXPIRE', all .. 'name:' .. name, keep)
    end
  end
end
local function takeBack(id, at, keep, untilAt, name)
  redis.call('HSET', keyOf(id), 's', 'cancelled', 'z', at)
  redis.call('HDEL', keyOf(id), 'c')
  conclude(id, 'cancelled', at, math.max(tonumber(keep), tonumber(untilAt) - at), name)
end
for first = 1, #ARGV, ${values} do
  local id = ARGV[first]
  local key = keyOf(id)
  local function given(place) return ARGV[first + place] end
  local answer = ''`;

const FOOT = `
  answers[#answers + 1] = answer
end
return answers`;

/** Per job: id, data, sentAt, dueAt, keep, until, name, message, tags. Answers 'added', 'known' or the holder of its name. */
export const ADD = `${HEAD(9)}
  local data, sentAt, due, keep, untilAt = given(1), tonumber(given(2)), given(3), given(4), tonumber(given(5))
  local name, message = given(6), given(7)
  answer = 'known'
  if redis.call('EXISTS', key) == 0 then
    local holder = name ~= '' and redis.call('GET', all .. 'name:' .. name)
    if holder and redis.call('EXISTS', keyOf(holder)) == 1 and not redis.call('HGET', keyOf(holder), 'z') then
      answer = '${HOLDER}' .. holder
    else
      answer = 'added'
      local lasts = untilAt - sentAt
      redis.call('HSET', key, 's', 'waiting', 'v', 1, 'n', 1, 't', sentAt, 'd', data, 'due', due, 'k', keep, 'u', untilAt)
      if name ~= '' then
        redis.call('HSET', key, 'name', name, 'm', message)
        redis.call('SET', all .. 'name:' .. name, id, 'PX', lasts)
        probe(all .. 'named', sentAt)
        redis.call('ZADD', all .. 'named', due == '' and sentAt or due, id)
      end
      redis.call('PEXPIRE', key, lasts)
      redis.call('ZADD', all .. 'open', sentAt, id)
      if given(8) ~= '' then
        for _, tag in ipairs(cjson.decode(given(8))) do
          local index = all .. 'tag:' .. tag
          probe(index, sentAt)
          redis.call('ZADD', index, sentAt, id)
          atLeast(index, lasts + keep)
        end
      end
      if first == 1 then probe(all .. 'open', sentAt) end
    end
  end${FOOT}`;

/** Per job: id. */
export const REMOVE = `${HEAD(1)}
  local known = redis.call('HMGET', key, 'a', 'name', 'd', 's', 'z')
  if known[4] and not known[1] and not known[5] then
    redis.call('DEL', key)
    redis.call('ZREM', all .. 'open', id)
    for _, tag in ipairs(cjson.decode(known[3]).tags or {}) do redis.call('ZREM', all .. 'tag:' .. tag, id) end
    if present(known[2]) then
      redis.call('ZREM', all .. 'named', id)
      if redis.call('GET', all .. 'name:' .. known[2]) == id then redis.call('DEL', all .. 'name:' .. known[2]) end
    end
  end${FOOT}`;

/** Per job: id, version, queue, handler, attempt, run, host, pid, at, time for which what has not ended is kept. Answers '' if unknown. */
export const BEGIN = `${HEAD(10)}
  local known = redis.call('HMGET', key, 's', 'v', 'q', 'c', 'u', 'f', 'z', 'k', 'name', 't', 'x', 'due')
  local state, counting, at = known[1], tonumber(known[2] or 0), tonumber(given(8))
  local version, lasts = tonumber(given(1)), tonumber(given(9))
  if not state then answer = ''
  elseif counting > version then answer = 'superseded'
  elseif state == 'cancelled' then answer = 'cancelled'
  elseif known[7] and state ~= 'dead-lettered' then answer = known[3] == given(2) and 'ended' or 'go'
  elseif not counts(version, { counting, known[11] }, state) then answer = 'superseded'
  elseif known[4] then
    answer = 'cancelled'
    takeBack(id, at, known[8], known[5], known[9])
  else
    answer = 'go'
    redis.call('HSET', key, 's', 'running', 'q', given(2), 'h', given(3), 'a', given(4), 'r', given(5), 'host', given(6), 'pid', given(7), 'b', at, 'f', known[6] or at)
    redis.call('ZADD', all .. 'running', known[10], id)
    if first == 1 then probe(all .. 'running', at) end
    if version > counting then
      redis.call('HSET', key, 'v', version)
      if tonumber(redis.call('HGET', key, 'n')) < version then redis.call('HSET', key, 'n', version) end
    end
    if state == 'dead-lettered' then
      redis.call('HDEL', key, 'z', 'reason', 'dead')
      redis.call('ZREM', all .. 'ended:dead-lettered', id)
      redis.call('ZADD', all .. 'open', known[10], id)
      if present(known[9]) and redis.call('GET', all .. 'name:' .. known[9]) == id then
        redis.call('ZADD', all .. 'named', present(known[12]) and known[12] or known[10], id)
      end
    end
    if state == 'dead-lettered' or tonumber(known[5]) < at + lasts / 2 then await(id, at + lasts, at) end
  end${FOOT}`;

/** Per job: id, run, dueAt, error, now, time for which what has not ended is kept. */
export const PAUSE = `${HEAD(6)}
  local known = redis.call('HMGET', key, 's', 'r', 'name')
  if known[1] == 'running' and known[2] == given(1) then
    redis.call('HSET', key, 's', 'waiting', 'due', given(2))
    if given(3) ~= '' then redis.call('HSET', key, 'e', given(3)) end
    redis.call('ZREM', all .. 'running', id)
    if present(known[3]) then redis.call('ZADD', all .. 'named', given(2), id) end
    await(id, given(2) + given(5), tonumber(given(4)))
  end${FOOT}`;

/** Per job: id, run, percent, note, at. */
export const PROGRESS = `${HEAD(5)}
  local known = redis.call('HMGET', key, 's', 'r')
  if known[1] == 'running' and known[2] == given(1) then
    redis.call('HSET', key, 'pp', given(2), 'pn', given(3), 'pa', given(4))
  end${FOOT}`;

/** Per job: id, version, state, queue, handler, attempt, at, result, problem, error, reason, dead queue. */
export const END = `${HEAD(12)}
  local known = redis.call('HMGET', key, 's', 'z', 'k', 'u', 'n', 'name', 'c', 'v', 'x')
  local version, state, at = tonumber(given(1)), given(2), tonumber(given(6))
  local isOver = known[2] and known[1] ~= 'dead-lettered'
  if known[1] and not isOver and counts(version, { known[8], known[9] }, known[1]) then
    local highest = math.max(tonumber(known[5]), version)
    if known[2] then redis.call('ZREM', all .. 'ended:dead-lettered', id) end
    if known[7] then redis.call('HDEL', key, 'c') end
    local fields = { 's', state, 'v', version, 'n', highest, 'q', given(3), 'h', given(4), 'a', given(5), 'z', at }
    for place, field in ipairs({ 'result', 'problem', 'e', 'reason', 'dead' }) do
      if given(6 + place) ~= '' then
        fields[#fields + 1] = field
        fields[#fields + 1] = given(6 + place)
      end
    end
    redis.call('HSET', key, unpack(fields))
    local keep = tonumber(known[3])
    if highest > 1 then keep = math.max(keep, tonumber(known[4]) - at) end
    conclude(id, state, at, keep, known[6])
  end
  if first == 1 then
    for _, each in ipairs({ 'done', 'dead-lettered', 'discarded', 'cancelled' }) do
      redis.call('ZREMRANGEBYSCORE', all .. 'ended:' .. each, '-inf', at)
    end
  end${FOOT}`;

/** Per job: id, at. Answers '' if unknown. */
export const CANCEL = `${HEAD(2)}
  local known = redis.call('HMGET', key, 's', 'z', 'k', 'u', 'name')
  if known[1] and known[2] then answer = known[1] == 'cancelled' and 'cancelled' or 'ended'
  elseif known[1] == 'running' then
    redis.call('HSET', key, 'c', 1)
    answer = 'running'
  elseif known[1] then
    takeBack(id, tonumber(given(1)), known[3], known[4], known[5])
    answer = 'cancelled'
  end${FOOT}`;

/** Per job: id, dueAt, now, time for which what has not ended is kept. Answers '' if unknown, a word, or the number, a colon and the message. */
export const RESERVE = `${HEAD(4)}
  local known = redis.call('HMGET', key, 's', 'z', 'm')
  if not known[1] then answer = ''
  elseif known[2] then answer = 'ended'
  elseif known[1] == 'running' then answer = 'running'
  elseif not present(known[3]) then answer = 'no-message'
  else
    answer = redis.call('HINCRBY', key, 'n', 1) .. ':' .. known[3]
    await(id, given(1) + given(3), tonumber(given(2)))
  end${FOOT}`;

/** Per job: id, version, dueAt, now, time for which what has not ended is kept. Answers '' if unknown. */
export const MOVE = `${HEAD(5)}
  local known = redis.call('HMGET', key, 's', 'v', 'x', 'z', 'name')
  local version, counting = tonumber(given(1)), tonumber(known[2] or 0)
  if known[1] then
    await(id, given(2) + given(4), tonumber(given(3)))
    if counting > version or counting < version and version <= tonumber(known[3] or 0) then answer = 'superseded'
    elseif known[1] ~= 'waiting' and counting == version then answer = 'moved'
    elseif known[1] ~= 'waiting' then
      redis.call('HSET', key, 'x', version)
      answer = known[4] and 'ended' or 'running'
    else
      redis.call('HSET', key, 'v', version, 'due', given(2))
      if present(known[5]) then redis.call('ZADD', all .. 'named', given(2), id) end
      answer = 'moved'
    end
  end${FOOT}`;
