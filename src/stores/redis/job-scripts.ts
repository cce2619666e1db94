import { JOB_ENDS } from '../../message/job.js';
import { CHANGE, each, FOOT, HEAD, HOLDER, LOAD } from './job-script-parts.js';

/* Scripts on the records of jobs: one for each call, with the values of a job as `each` names them. */

/** Answers 'known', or the holder of its name, for those that are not added. */
export const ADD = `${HEAD}${each(
  'id, service, routingKey, sentAt, due, keep, untilAt, name, message, tags',
  `
  local key, lasts = keyOf(id), untilAt - sentAt
  if name and redis.call('EXISTS', key) == 0 then
    local holder = redis.call('GET', all .. 'name:' .. name)
    local held = holder and redis.call('GET', keyOf(holder))
    if held and not cmsgpack.unpack(held)[ENDED] then answer = '${HOLDER}' .. holder end
  end
  if not answer then
    local record = { 'waiting', 1, 1, false, false, keep, untilAt, sentAt, due, false, false, name, tags, service, routingKey }
    for place = QUEUE, DEAD do record[place] = false end
    if redis.call('SET', key, cmsgpack.pack(record), 'PX', lasts, 'NX') then
      put('open', id, sentAt)
      changed[id] = false
      if name then
        if message then redis.call('SET', all .. 'message:' .. id, message, 'PX', lasts) end
        redis.call('SET', all .. 'name:' .. name, id, 'PX', lasts)
        probe('named', sentAt)
        put('named', id, due or sentAt)
      end
      for _, tag in ipairs(tags or {}) do
        local index = all .. 'tag:' .. tag
        probe('tag:' .. tag, sentAt)
        redis.call('ZADD', index, sentAt, id)
        atLeast(index, lasts + keep)
      end
    else answer = 'known' end
  end
  if place == 1 then probe('open', sentAt) end`,
)}${FOOT}`;

export const REMOVE = `${HEAD}${LOAD}${each(
  'id',
  `
  local record = records[id]
  if record and not record[ENDED] and not record[ATTEMPT] and not runs[id] then
    redis.call('DEL', keyOf(id))
    put('open', id, false)
    for _, tag in ipairs(record[TAGS] or {}) do put('tag:' .. tag, id, false) end
    if record[NAME] then
      redis.call('DEL', all .. 'message:' .. id)
      put('named', id, false)
      if hasName(id, record) then redis.call('DEL', nameKey(record)) end
    end
  end`,
)}${FOOT}`;

/** `kept` is the time for which what has not ended is kept. Answers why those may not begin that may not, and 'unknown'. */
export const BEGIN = `${HEAD}${CHANGE}${each(
  'id, version, queue, handler, attempt, name, host, pid, at, kept',
  `
  local record = records[id]
  if not record then answer = 'unknown'
  elseif record[VERSION] > version then answer = 'superseded'
  elseif record[STATE] == 'cancelled' then answer = 'cancelled'
  elseif record[ENDED] and record[STATE] ~= 'dead-lettered' then answer = record[QUEUE] == queue and 'ended'
  elseif not counts(version, id) then answer = 'superseded'
  elseif record[CANCELLING] then
    answer = 'cancelled'
    takeBack(id, at)
  else
    local first = record[FIRST] or runs[id] and runs[id][R_FIRST] or at
    setRun(id, { name, queue, handler, attempt, host, pid, at, first })
    if version > record[VERSION] then
      record[VERSION], record[HIGHEST] = version, math.max(record[HIGHEST], version)
      save(id)
    end
    local isReplayed = record[ENDED]
    if isReplayed then
      record[STATE], record[ENDED], record[REASON], record[DEAD] = 'waiting', false, false, false
      put('ended:dead-lettered', id, false)
      put('open', id, record[SENT])
      if hasName(id, record) then put('named', id, record[DUE] or record[SENT]) end
    end
    if isReplayed or record[UNTIL] < at + kept / 2 then await(id, at + kept, at) end
  end`,
)}${FOOT}`;

export const PAUSE = `${HEAD}${CHANGE}${each(
  'id, name, dueAt, error, now, kept',
  `
  local record, run = records[id], runs[id]
  if run and run[R_NAME] == name then
    record[DUE], record[ERROR] = dueAt, error or record[ERROR]
    leave(id)
    if record[NAME] then put('named', id, dueAt) end
    await(id, dueAt + kept, now)
  end`,
)}${FOOT}`;

export const PROGRESS = `${HEAD}${LOAD}${each(
  'id, name, progress',
  `
  if runs[id] and runs[id][R_NAME] == name then
    records[id][PROGRESS] = progress
    save(id)
  end`,
)}${FOOT}`;

export const END = `${HEAD}${CHANGE}${each(
  'id, version, state, queue, handler, attempt, at, result, problem, error, reason, dead',
  `
  local record = records[id]
  local isOver = record and record[ENDED] and record[STATE] ~= 'dead-lettered'
  if record and not isOver and counts(version, id) then
    leave(id)
    record[VERSION], record[HIGHEST] = version, math.max(record[HIGHEST], version)
    record[QUEUE], record[HANDLER], record[ATTEMPT] = queue, handler, attempt
    record[RESULT], record[PROBLEM] = result or record[RESULT], problem or record[PROBLEM]
    record[ERROR], record[REASON], record[DEAD] = error or record[ERROR], reason or record[REASON], dead or record[DEAD]
    local keep = record[KEEP]
    if record[HIGHEST] > 1 then keep = math.max(keep, record[UNTIL] - at) end
    conclude(id, state, at, keep)
  end
  if place == 1 then
    for _, each in ipairs({ ${JOB_ENDS.map((end) => `'${end}'`).join(', ')} }) do
      redis.call('ZREMRANGEBYSCORE', all .. 'ended:' .. each, '-inf', at)
    end
  end`,
)}${FOOT}`;

export const CANCEL = `${HEAD}${CHANGE}${each(
  'id, at',
  `
  local record = records[id]
  if record and record[ENDED] then answer = record[STATE] == 'cancelled' and 'cancelled' or 'ended'
  elseif record and runs[id] then
    record[CANCELLING] = true
    save(id)
    answer = 'running'
  elseif record then
    takeBack(id, at)
    answer = 'cancelled'
  end`,
)}${FOOT}`;

/** Answers a word, or the number, a colon and the message. */
export const RESERVE = `${HEAD}${CHANGE}${each(
  'id, dueAt, now, kept',
  `
  local record = records[id]
  if record and record[ENDED] then answer = 'ended'
  elseif record and runs[id] then answer = 'running'
  elseif record then
    local message = record[NAME] and redis.call('GET', all .. 'message:' .. id)
    answer = 'no-message'
    if message then
      record[HIGHEST] = record[HIGHEST] + 1
      await(id, dueAt + kept, now)
      answer = record[HIGHEST] .. ':' .. message
    end
  end`,
)}${FOOT}`;

export const MOVE = `${HEAD}${CHANGE}${each(
  'id, version, dueAt, now, kept',
  `
  local record = records[id]
  if record then
    local counting, isWaiting = record[VERSION], record[STATE] == 'waiting' and not runs[id]
    await(id, dueAt + kept, now)
    if counting > version or counting < version and version <= (record[REFUSED] or 0) then answer = 'superseded'
    elseif not isWaiting and counting == version then answer = 'moved'
    elseif not isWaiting then
      record[REFUSED] = version
      answer = record[ENDED] and 'ended' or 'running'
    else
      record[VERSION], record[DUE] = version, dueAt
      if record[NAME] then put('named', id, dueAt) end
      answer = 'moved'
    end
  end`,
)}${FOOT}`;

/** Answers with the fields of each record and, after them, those of its run; with `false` for what isn't known: all of it as JSON. */
export const FIND = `${HEAD}${LOAD}
for place, job in ipairs(given) do
  local record = records[job[1]]
  if record then record[RUN] = runs[job[1]] end
  answers[place] = record
end
return cjson.encode(answers)`;
