/*
 * What the scripts on the records of jobs are made of. `KEYS[1]` is the prefix of all of them, in braces so that a cluster keeps them together. After it come
 *
 *   job:ID        string, a job: the fields below, packed as MessagePack. It expires
 *   runs          hash, of jobs that run: the run, packed
 *   message:ID    the message of a job with a name, as long as it may be sent again
 *   open          sorted set of those that have not ended, by the moment of their sending
 *   ended:STATE   sorted set of the others, by the moment at which they are forgotten
 *   tag:TAG       sorted set, by the moment of their sending
 *   name:NAME     id of the job that has the name, or had it last
 *   named         sorted set of those with a name that have not ended, by the moment at which they are due
 *
 * What costs is each command, and each of their arguments on its way from the client: so a script gets all of its jobs as one JSON text,
 * reads them in one command, and writes an index once for all. A run is no part of its job's record, which is thus written twice in most
 * lives: when it is sent, and when it ends. `false` is a value that isn't there.
 */

/**
 * Fields of a record. STATE is `waiting` for what runs, too; VERSION is the number of the sending that counts, HIGHEST the highest that was
 * given, REFUSED the highest whose move was refused; UNTIL is when its message may come at the latest; QUEUE, HANDLER and ATTEMPT are those
 * of its last run, ATTEMPT as a text, since clients round high numbers; FIRST is when its first one began; PROGRESS is JSON.
 */
const RECORD = `STATE, VERSION, HIGHEST, REFUSED, CANCELLING, KEEP, UNTIL, SENT, DUE, FIRST, ENDED, NAME, TAGS, SERVICE, KEY,
  QUEUE, HANDLER, ATTEMPT, PROGRESS, RESULT, PROBLEM, ERROR, REASON, DEAD, RUN`;

/** Fields of a run: its name, and when it and the job's first one began. */
const RUN = 'R_NAME, R_QUEUE, R_HANDLER, R_ATTEMPT, R_HOST, R_PID, R_SINCE, R_FIRST';

const numbered = (names: string) => `local ${names} = ${names.split(',').map((_name, place) => place + 1)}`;

/** Before the id of the job that has a name. */
export const HOLDER = 'holder:';

/** What all scripts have: the jobs that they are given, and what they are about to write. */
export const HEAD = `
local all, given = KEYS[1], cjson.decode(ARGV[1])
${numbered(RECORD)}
${numbered(RUN)}
local records, runs, saved, changed, indexes, answers = {}, {}, {}, {}, {}, {}
local function keyOf(id) return all .. 'job:' .. id end
local function nameKey(record) return all .. 'name:' .. record[NAME] end
local function hasName(id, record) return record[NAME] and redis.call('GET', nameKey(record)) == id end
local function atLeast(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
end
local function put(index, id, score)
  local its = indexes[index] or {}
  indexes[index] = its
  its[id] = score
end
local function save(id, ms) saved[id] = ms and math.max(ms, 1) or saved[id] or 'KEEPTTL' end
local function setRun(id, run)
  runs[id] = run
  changed[id] = run
end
local function probe(index, at)
  local size = redis.call('ZCARD', all .. index)
  for _, rank in ipairs({ 0, at % math.max(size, 1) }) do
    local id = redis.call('ZRANGE', all .. index, rank, rank)[1]
    if id and redis.call('EXISTS', keyOf(id)) == 0 then
      redis.call('ZREM', all .. index, id)
      if index == 'open' then redis.call('HDEL', all .. 'runs', id) end
    end
  end
end`;

/** Reads the jobs and their runs. */
export const LOAD = `
do
  local keys, ids = {}, {}
  for place, job in ipairs(given) do
    ids[place] = job[1]
    keys[place] = keyOf(job[1])
  end
  local known, running = redis.call('MGET', unpack(keys)), redis.call('HMGET', all .. 'runs', unpack(ids))
  for place, id in ipairs(ids) do
    records[id] = known[place] and cmsgpack.unpack(known[place])
    runs[id] = known[place] and running[place] and cmsgpack.unpack(running[place])
  end
end`;

/** What changes jobs that are known. */
export const CHANGE = `${LOAD}
local function await(id, untilAt, now)
  local record = records[id]
  record[UNTIL] = math.max(record[UNTIL], untilAt)
  local lasts = record[UNTIL] - now
  local lastsAlready = tonumber(saved[id]) or redis.call('PTTL', keyOf(id))
  save(id, math.max(lasts, lastsAlready))
  if record[NAME] then atLeast(all .. 'message:' .. id, lasts) end
  if hasName(id, record) then atLeast(nameKey(record), lasts) end
  for _, tag in ipairs(record[TAGS] or {}) do atLeast(all .. 'tag:' .. tag, lasts + record[KEEP]) end
end
local function counts(version, id)
  local record = records[id]
  local counting, isWaiting = record[VERSION], record[STATE] == 'waiting' and not runs[id]
  return version == counting or version > counting and version > (record[REFUSED] or 0) and isWaiting
end
local function leave(id)
  local record, run = records[id], runs[id]
  if run then
    record[FIRST], record[QUEUE], record[HANDLER], record[ATTEMPT] = run[R_FIRST], run[R_QUEUE], run[R_HANDLER], run[R_ATTEMPT]
    setRun(id, false)
  end
end
local function conclude(id, state, at, keep)
  local record = records[id]
  if record[ENDED] then put('ended:' .. record[STATE], id, false) end
  record[STATE], record[ENDED], record[CANCELLING] = state, at, false
  save(id, keep)
  put('open', id, false)
  put('ended:' .. state, id, at + keep)
  if record[NAME] then
    put('named', id, false)
    if state == 'dead-lettered' then redis.call('PEXPIRE', all .. 'message:' .. id, keep)
    else redis.call('DEL', all .. 'message:' .. id) end
    if hasName(id, record) then redis.call('PEXPIRE', nameKey(record), keep) end
  end
end
local function takeBack(id, at)
  local record = records[id]
  leave(id)
  conclude(id, 'cancelled', at, math.max(record[KEEP], record[UNTIL] - at))
end`;

/** Writes what has changed. */
export const FOOT = `
for id, ms in pairs(saved) do
  local packed = cmsgpack.pack(records[id])
  if ms == 'KEEPTTL' then redis.call('SET', keyOf(id), packed, ms)
  else redis.call('SET', keyOf(id), packed, 'PX', ms) end
end
local set, cleared = {}, {}
for id, run in pairs(changed) do
  if run then
    set[#set + 1] = id
    set[#set + 1] = cmsgpack.pack(run)
  else cleared[#cleared + 1] = id end
end
if #set > 0 then redis.call('HSET', all .. 'runs', unpack(set)) end
if #cleared > 0 then redis.call('HDEL', all .. 'runs', unpack(cleared)) end
for index, ids in pairs(indexes) do
  local added, removed = {}, {}
  for id, score in pairs(ids) do
    if score then
      added[#added + 1] = score
      added[#added + 1] = id
    else removed[#removed + 1] = id end
  end
  if #added > 0 then redis.call('ZADD', all .. index, unpack(added)) end
  if #removed > 0 then redis.call('ZREM', all .. index, unpack(removed)) end
end
return answers`;

/** What is done for each of the jobs that are given. */
export const each = (values: string, body: string) => `
for place, job in ipairs(given) do
  local ${values} = unpack(job)
  local answer = false
${body}
  if answer then
    answers[#answers + 1] = place
    answers[#answers + 1] = answer
  end
end`;
