import type { GatheredScript } from './gathered-source.js';

/** `by` when the caller is not a job. */
export const NOBODY = -1;

/*
 * Scripts of the batch store; Redis runs each as one step. Keys: the batch, a hash; two bit sets of the numbers
 * that have ended and that have failed; and the reserved numbers, a hash: `key:…` has `first:count:by:unsent`,
 * and `by:…` the keys that a job has used. All four have the same time to live.
 */
const BEGIN = `
local batch, ended, failed, reserved = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function keep()
  local ms = redis.call('HGET', batch, 'keepMs')
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ms) end
end
`;

export const OPEN = `${BEGIN}
if redis.call('HSETNX', batch, 'name', ARGV[1]) == 1 then
  redis.call('HSET', batch, 'allowsFailures', ARGV[2], 'callbacks', ARGV[3], 'keepMs', ARGV[4], 'service', ARGV[5], 'createdAt', now,
    'total', 0, 'done', 0, 'failed', 0, 'skipped', 0, 'progress', 0)
end
keep()
return redis.call('HGET', batch, 'createdAt')`;

export const RESERVE = `${BEGIN}
if redis.call('EXISTS', batch) == 0 then return nil end
local before = redis.call('HGET', reserved, 'key:' .. ARGV[1])
if before then return before end
if redis.call('HEXISTS', batch, 'cancelled') == 1 then return 'cancelled' end
local closing = ARGV[3] == '' and 'sealed' or 'finallyAt'
if redis.call('HEXISTS', batch, closing) == 1 then return 'closed' end
local count = tonumber(ARGV[2])
if ARGV[3] == '' then redis.call('HINCRBY', batch, 'initial', count) end
local first = redis.call('HINCRBY', batch, 'total', count) - count
local numbers = {}
for number = first, first + count - 1 do numbers[#numbers + 1] = number end
local entry = first .. ':' .. count .. ':' .. ARGV[3] .. ':' .. table.concat(numbers, ',')
redis.call('HSET', reserved, 'key:' .. ARGV[1], entry)
if ARGV[3] ~= '' then
  local keys = redis.call('HGET', reserved, 'by:' .. ARGV[3])
  keys = keys and cjson.decode(keys) or {}
  keys[#keys + 1] = ARGV[1]
  redis.call('HSET', reserved, 'by:' .. ARGV[3], cjson.encode(keys))
end
keep()
return entry`;

export const DISPATCHED = `
local entry = redis.call('HGET', KEYS[4], 'key:' .. ARGV[1])
if not entry then return 0 end
local failed, left = {}, {}
for number in string.gmatch(ARGV[2], '%d+') do failed[number] = true end
local head, unsent = string.match(entry, '^(.*:)(.*)$')
for number in string.gmatch(unsent, '%d+') do if failed[number] then left[#left + 1] = number end end
redis.call('HSET', KEYS[4], 'key:' .. ARGV[1], head .. table.concat(left, ','))
return 0`;

/** What changes read of a batch, and write: fields that have changed are written once. `unsentOf` gives what a job has used keys for. */
const STATE = `${BEGIN}
local fields = { 'total', 'done', 'failed', 'skipped', 'progress', 'sealed', 'cancelled', 'allowsFailures', 'verdict', 'verdictBy',
  'verdictAt', 'verdictSent', 'finallyBy', 'finallyAt', 'finallySent' }
local read = redis.call('HMGET', batch, 'keepMs', unpack(fields))
if not read[2] then return nil end
local is, changed = {}, {}
for index, field in ipairs(fields) do is[field] = read[index + 1] or nil end
for index = 1, 5 do is[fields[index]] = tonumber(is[fields[index]]) end
local function write(field, value)
  is[field] = value
  changed[field] = value
end
local function store()
  local set = {}
  for field, value in pairs(changed) do
    set[#set + 1] = field
    set[#set + 1] = value
  end
  if #set > 0 then redis.call('HSET', batch, unpack(set)) end
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, read[1]) end
end
local function isMine(decision, by)
  return by == ${NOBODY} or tonumber(is[decision .. 'By']) == by or tonumber(is.finallyBy or -2) == by
    or now - tonumber(is[decision .. 'At']) > 30000
end
local function unsentOf(keys)
  local unsent = {}
  for _, key in ipairs(keys and cjson.decode(keys) or {}) do
    local entry = redis.call('HGET', reserved, 'key:' .. key)
    for number in string.gmatch(string.match(entry, '[^:]*$'), '%d+') do
      if redis.call('GETBIT', ended, number) == 0 then unsent[#unsent + 1] = tonumber(number) end
    end
  end
  return unsent
end
local function consequences(by, fresh, cancels, keys)
  local over = is.done + is.failed + is.skipped
  local ends = is.sealed ~= nil and over == is.total
  local hasCancelled = cancels and not is.cancelled
  local hasFinished = ends and not is.finallyAt
  if hasCancelled then write('cancelled', 1) end
  if (cancels or ends) and not is.verdict then
    write('verdict', cancels and 'catch' or 'then')
    write('verdictBy', by)
    write('verdictAt', now)
  end
  if hasFinished then
    write('finallyBy', by)
    write('finallyAt', now)
  end
  local percent = is.total == 0 and 100 or math.floor(over * 100 / is.total)
  local rises = is.sealed ~= nil and percent > is.progress
  if rises then write('progress', percent) end
  local answer = { is.total, is.done, is.failed, is.skipped, is.progress,
    hasCancelled and 1 or 0, hasFinished and 1 or 0, ((fresh or by == ${NOBODY}) and rises) and 1 or 0, unsentOf(keys) }
  if is.verdict and not is.verdictSent and isMine('verdict', by) then answer[#answer + 1] = is.verdict end
  if is.finallyAt and not is.finallySent and isMine('finally', by) then answer[#answer + 1] = 'finally' end
  return answer
end
`;

/** A batch is sealed or cancelled, with its consequences: see BatchChange. */
export const CHANGE = `${STATE}
local cancels = false
if ARGV[1] == 'seal' then write('sealed', 1) else cancels = not is.finallyAt end
local answer = consequences(${NOBODY}, false, cancels, false)
store()
return answer`;

/**
 * What jobs of one batch ask for, each a letter and the job's number: `b` whether it may begin, and `d`, `f` or `s` when it has ended. So
 * many jobs read and write their batch once. The answers are in their order.
 */
export const JOBS: GatheredScript = {
  ...{ keys: 4, values: 1 },
  source: `${STATE}
local results = { d = 'done', f = 'failed', s = 'skipped' }
local letters, numbers, count = {}, {}, 0
local looks, ends, uses = {}, {}, {}
for letter, text in string.gmatch(ARGV[1], '(%a)(%d+)') do
  count = count + 1
  letters[count], numbers[count] = letter, tonumber(text)
  if letter == 'b' then
    looks[#looks + 1] = 'GET'
    looks[#looks + 1] = 'u1'
    looks[#looks + 1] = text
  elseif numbers[count] < is.total then
    ends[#ends + 1] = 'SET'
    ends[#ends + 1] = 'u1'
    ends[#ends + 1] = text
    ends[#ends + 1] = 1
    uses[#uses + 1] = 'by:' .. text
  end
end
local areEnded, haveFailed, wereEnded, keys = {}, {}, {}, {}
if #looks > 0 then
  areEnded = redis.call('BITFIELD_RO', ended, unpack(looks))
  haveFailed = redis.call('BITFIELD_RO', failed, unpack(looks))
end
if #ends > 0 then
  wereEnded = redis.call('BITFIELD', ended, unpack(ends))
  keys = redis.call('HMGET', reserved, unpack(uses))
end
local wasCancelled = is.cancelled
local function settle(by, result, wasEnded, its)
  local fresh, cancels = wasEnded == 0, false
  if fresh then
    write(result, is[result] + 1)
    if result == 'failed' then redis.call('SETBIT', failed, by, 1) end
    cancels = result == 'failed' and is.allowsFailures == '0'
  elseif result == 'done' and redis.call('SETBIT', failed, by, 0) == 1 then
    write('failed', is.failed - 1)
    write('done', is.done + 1)
  end
  return consequences(by, fresh, cancels, its)
end
local answers, look, last = {}, 0, 0
for index = 1, count do
  local letter, by = letters[index], numbers[index]
  if letter == 'b' then
    look = look + 1
    if haveFailed[look] == 1 then
      answers[index] = 'go'
    elseif areEnded[look] == 1 then
      answers[index] = 'ended'
    else
      answers[index] = wasCancelled and 'skip' or 'go'
    end
  elseif by < is.total then
    last = last + 1
    answers[index] = settle(by, results[letter], wereEnded[last], keys[last])
  else
    answers[index] = false
  end
end
if last > 0 then store() end
return answers`,
};

/** Returns the batch's service if no notification is left to be sent. */
export const SENT = `
if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
redis.call('HSET', KEYS[1], ARGV[1], 1)
local sent = redis.call('HMGET', KEYS[1], 'verdictSent', 'finallySent')
return sent[1] and sent[2] and redis.call('HGET', KEYS[1], 'service')`;

/**
 * Returns 1 if a notification is overdue, 0 if none is yet; nothing if the batch is gone or none is left to
 * be sent.
 */
export const IS_OVERDUE = `${BEGIN}
local is = redis.call('HMGET', batch, 'total', 'verdictAt', 'verdictSent', 'finallyAt', 'finallySent')
if not is[1] or (is[3] and is[5]) then return nil end
local function isLate(at, sent) return at and not sent and now - tonumber(at) > 30000 end
return (isLate(is[2], is[3]) or isLate(is[4], is[5])) and 1 or 0`;
