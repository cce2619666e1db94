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

export const MAY_BEGIN: GatheredScript = {
  ...{ keys: 4, values: 1 },
  source: `
if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
if redis.call('GETBIT', KEYS[3], ARGV[1]) == 1 then return 'go' end
if redis.call('GETBIT', KEYS[2], ARGV[1]) == 1 then return 'ended' end
if redis.call('HEXISTS', KEYS[1], 'cancelled') == 1 then return 'skip' end
return 'go'`,
};

/** A change of any kind, with its consequences: see BatchChange. */
export const CHANGE: GatheredScript = {
  ...{ keys: 4, values: 3 },
  source: `${BEGIN}
local what, by, result = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local fields = { 'total', 'done', 'failed', 'skipped', 'progress', 'sealed', 'cancelled', 'allowsFailures', 'verdict', 'verdictBy',
  'verdictAt', 'verdictSent', 'finallyBy', 'finallyAt', 'finallySent' }
local values = redis.call('HMGET', batch, unpack(fields))
if not values[1] then return nil end
local is = {}
for index, field in ipairs(fields) do is[field] = values[index] or nil end
local set = {}
local function write(field, value)
  is[field] = tostring(value)
  set[#set + 1] = field
  set[#set + 1] = is[field]
end
local function add(field, by) write(field, tonumber(is[field]) + by) end

local fresh, cancels = false, false
if what == 'seal' then
  write('sealed', 1)
elseif what == 'cancel' then
  cancels = not is.finallyAt
else
  if by >= tonumber(is.total) then return nil end
  if redis.call('SETBIT', ended, by, 1) == 0 then
    fresh = true
    add(result, 1)
    if result == 'failed' then redis.call('SETBIT', failed, by, 1) end
    cancels = result == 'failed' and is.allowsFailures == '0'
  elseif result == 'done' and redis.call('SETBIT', failed, by, 0) == 1 then
    add('failed', -1)
    add('done', 1)
  end
end

local total = tonumber(is.total)
local over = tonumber(is.done) + tonumber(is.failed) + tonumber(is.skipped)
local ends = is.sealed ~= nil and over == total
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
local percent = total == 0 and 100 or math.floor(over * 100 / total)
local rises = is.sealed ~= nil and percent > tonumber(is.progress)
if rises then write('progress', percent) end
if #set > 0 then redis.call('HSET', batch, unpack(set)) end
keep()

local due = {}
local function isMine(decision)
  return by == ${NOBODY} or tonumber(is[decision .. 'By']) == by or tonumber(is.finallyBy or -2) == by
    or now - tonumber(is[decision .. 'At']) > 30000
end
if is.verdict and not is.verdictSent and isMine('verdict') then due[#due + 1] = is.verdict end
if is.finallyAt and not is.finallySent and isMine('finally') then due[#due + 1] = 'finally' end

local unsent = {}
local keys = what == 'settle' and redis.call('HGET', reserved, 'by:' .. by)
for _, key in ipairs(keys and cjson.decode(keys) or {}) do
  local entry = redis.call('HGET', reserved, 'key:' .. key)
  for number in string.gmatch(string.match(entry, '[^:]*$'), '%d+') do
    if redis.call('GETBIT', ended, number) == 0 then unsent[#unsent + 1] = tonumber(number) end
  end
end
return { total, tonumber(is.done), tonumber(is.failed), tonumber(is.skipped), tonumber(is.progress),
  hasCancelled and 1 or 0, hasFinished and 1 or 0, ((fresh or by == ${NOBODY}) and rises) and 1 or 0, unsent, unpack(due) }`,
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
