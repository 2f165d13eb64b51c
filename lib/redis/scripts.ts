import { createHash } from 'node:crypto';
import type { RedisScript } from './redis-driver.js';

/**
 * What scripts write before a record: its version, until when it is fresh and until when it may be a stale
 * answer, 16 digits each; how many marks it depends on, 2 digits; their nonces, 12 characters each.
 */
export const DIGITS = 16;
export const COUNT_DIGITS = 2;
export const NONCE_LENGTH = 12;

/*
 * Versions are Redis's time in microseconds; those of one bucket rise with every change, also where its
 * clock goes back. Other times are milliseconds since 1970 by Redis's clock.
 *
 * What is kept for a generation, a namespace or a tag ("mark"): nonce, version of the last invalidation,
 * time until which it is held. The counters of a bucket: v, its last version; e, its first, which tells
 * whether they were lost; n, how many changes were told of; t, the version of the last invalidation of any
 * namespace or tag.
 *
 * What is in Redis may be anything. What a script finds that it cannot read is as good as lost: `markOf`
 * and `leaseOf` say that there is none, and counters begin anew.
 *
 * Lua hands over a few thousand arguments at most, so `textsFrom` asks for a thousand at a time.
 *
 * A server whose memory is full refuses scripts that may need more, but only before they have written:
 * what invalidates begins with the removal of a field that nobody has, and is carried out all the same.
 *
 * Every change is told to the other processes in the same step. The last of ARGV: what has changed, the
 * channel, who does it and the bucket.
 */
const COMMON = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function digits(number)
  return string.format('%016.0f', number)
end
local function numberOf(text)
  return text and #text <= 16 and string.match(text, '^%d+$') and tonumber(text)
end
local function textsFrom(first)
  local texts = {}
  for from = first, #KEYS, 1000 do
    local some = redis.call('MGET', unpack(KEYS, from, math.min(from + 999, #KEYS)))
    for at = 1, #some do texts[#texts + 1] = some[at] end
  end
  return texts
end
local function markOf(text)
  return text and numberOf(string.sub(text, 13, 28)) and numberOf(string.sub(text, 29)) and text
end
local function isHold(lease)
  return lease and string.sub(lease, 1, 1) == '#'
end
local function leaseOf(text)
  return text and (isHold(text) or numberOf(string.sub(text, 13))) and text
end
local function owns(token, lease)
  return lease and string.sub(lease, 1, 12) == token
end
local function countersOf(key)
  local kept = redis.pcall('HMGET', key, 'v', 'e', 'n', 't')
  local version, count = numberOf(kept[1] or '0'), numberOf(kept[3] or '0')
  if kept.err or not version or version > 9e15 or not count or count > 9e15 then
    return {areLost = true, version = math.max(now, 1), count = 0}
  end
  version = math.max(now, version + 1)
  return {version = version, epoch = kept[2], count = count, lastMark = numberOf(kept[4] or '0')}
end
local function advance(key, counters, ...)
  if counters.areLost then redis.call('DEL', key) end
  local version = digits(counters.version)
  counters.epoch = counters.epoch or version
  redis.call('HSET', key, 'v', version, 'e', counters.epoch, ...)
end
local function change(key, counters, ...)
  local count = string.format('%.0f', counters.count + 1)
  advance(key, counters, 'n', count, ...)
  local told = counters.epoch .. '\\30' .. count .. '\\30' .. ARGV[#ARGV - 2]
  redis.call('PUBLISH', ARGV[#ARGV - 1], ARGV[#ARGV] .. '\\30' .. told)
end
local function beginThoughFull(counters)
  redis.pcall('HDEL', counters, '-')
end
`;

/**
 * Stores an entry, unless it comes too late. A load is stored while it has its lease, and nothing that
 * concerns it was invalidated since, or held when it began. Of a tag that it was the first to name nothing
 * is known: where any was invalidated meanwhile this could be the one. From then on the tag has a mark, so
 * the next load is told apart.
 *
 * KEYS: value, counters, lease, marks: of the generation, the namespaces, the tags.
 * ARGV: token, version and epoch of the lease with spaces between, or ''; time after which it is too late; in
 * digits, until when it is fresh and stale; time to keep in ms, nonce for new marks, time to keep marks in ms,
 * record.
 */
export const WRITE = script(`
if now > tonumber(ARGV[2]) * 1000 then return 'late' end
local counters, texts = countersOf(KEYS[2]), textsFrom(3)
local lease = leaseOf(texts[1])
local leased = ARGV[1] ~= '' and (tonumber(string.sub(ARGV[1], 14, 29)) or 0)
if leased then
  local isLost = string.sub(ARGV[1], 31) ~= counters.epoch
  if isLost or not owns(string.sub(ARGV[1], 1, 12), lease) then return 'fenced' end
end
local isFenced, nonces = false, ''
for i = 4, #KEYS do
  local mark = markOf(texts[i - 2])
  if leased and mark then
    isFenced = isFenced or tonumber(string.sub(mark, 13, 28)) >= leased
      or tonumber(string.sub(mark, 29, 44)) * 1000 > math.min(leased, now)
  elseif leased then
    isFenced = isFenced or i == 4 or (counters.lastMark or leased) >= leased
  end
  if not mark then
    mark = ARGV[5] .. digits(0) .. digits(0)
    redis.call('SET', KEYS[i], mark, 'PX', ARGV[6])
  elseif redis.call('PTTL', KEYS[i]) < tonumber(ARGV[4]) then
    redis.call('PEXPIRE', KEYS[i], ARGV[6])
  end
  nonces = nonces .. string.sub(mark, 1, 12)
end
if isFenced then return 'fenced' end
change(KEYS[2], counters)
local head = digits(counters.version) .. ARGV[3] .. string.format('%02d', #KEYS - 3)
redis.call('SET', KEYS[1], head .. nonces .. ARGV[7], 'PX', ARGV[4])
if texts[1] and not isHold(lease) then redis.call('DEL', KEYS[3]) end
return 'stored'
`);

/**
 * Deletes a key, or ends its freshness. Whoever loads it loses the lease. A hold is never shortened.
 *
 * KEYS: value, counters, lease. ARGV: time to hold in ms, '1' to keep a stale entry.
 */
export const DELETE = script(`
beginThoughFull(KEYS[2])
local hold, counters = tonumber(ARGV[1]), countersOf(KEYS[2])
change(KEYS[2], counters)
local head = ARGV[2] == '1' and redis.pcall('GETRANGE', KEYS[1], 16, 47)
head = type(head) == 'string' and head or ''
local fresh, stale = numberOf(string.sub(head, 1, 16)), numberOf(string.sub(head, 17, 32))
if fresh and stale and stale > fresh then
  fresh = math.min(fresh, math.floor(now / 1000))
  redis.call('SETRANGE', KEYS[1], 0, digits(counters.version) .. digits(fresh))
else
  redis.call('DEL', KEYS[1])
end
local held = isHold(textsFrom(3)[1]) and redis.call('PTTL', KEYS[3]) or 0
if hold > math.max(held, 0) then
  redis.call('SET', KEYS[3], '#', 'PX', hold)
elseif held <= 0 then
  redis.call('DEL', KEYS[3])
end
return counters.version
`);

/**
 * Replaces the nonces of marks: whatever was stored with the old ones is a miss. One that is not there gets
 * none unless it is held: nothing that is stored is valid without it.
 *
 * KEYS: counters, marks. ARGV: nonce, time to hold in ms, time to keep marks in ms.
 */
export const INVALIDATE = script(`
beginThoughFull(KEYS[1])
local counters, hold, marks = countersOf(KEYS[1]), tonumber(ARGV[2]), textsFrom(2)
change(KEYS[1], counters, 't', digits(counters.version))
for i = 2, #KEYS do
  local mark = markOf(marks[i - 1])
  local held = hold > 0 and math.floor(now / 1000) + hold or 0
  if mark then held = math.max(held, tonumber(string.sub(mark, 29, 44))) end
  if mark or hold > 0 then
    redis.call('SET', KEYS[i], ARGV[1] .. digits(counters.version) .. digits(held), 'PX', ARGV[3])
  end
end
return counters.version
`);

/**
 * Gives the load of a key to one caller of the fleet. A lease whose load could not be stored any more, since
 * a tag, a namespace or everything was invalidated, is passed on.
 *
 * KEYS: value, counters, lease, marks. ARGV: token, time that the lease lasts in ms, version of a value that
 * the caller has judged invalid or '', '1' to load although there is a value, nonce, time to keep marks in ms.
 * Answers: 'hit', 'load', 'wait' or 'held'; the value; the version; the epoch; how long to wait in ms.
 */
export const LEASE = script(`
local texts = textsFrom(1)
local value, lease = texts[1], leaseOf(texts[3])
local freshUntil = value and numberOf(string.sub(value, 17, 32))
local isFresh = freshUntil and freshUntil * 1000 > now
if isFresh and ARGV[4] ~= '1' and string.sub(value, 1, 16) ~= ARGV[3] then
  return {'hit', value, digits(now), '', 0}
end
for i = 4, #KEYS do
  local mark = markOf(texts[i])
  if not mark then
    redis.call('SET', KEYS[i], ARGV[5] .. digits(0) .. digits(0), 'PX', ARGV[6])
  elseif lease and not isHold(lease) and string.sub(mark, 13, 28) >= string.sub(lease, 13, 28) then
    lease = false
  end
end
local counters = countersOf(KEYS[2])
advance(KEYS[2], counters)
local version, epoch = digits(counters.version), counters.epoch
if isHold(lease) then return {'held', value, version, epoch, redis.call('PTTL', KEYS[3])} end
if lease then return {'wait', value, version, epoch, redis.call('PTTL', KEYS[3])} end
redis.call('SET', KEYS[3], ARGV[1] .. version, 'PX', ARGV[2])
return {'load', value, version, epoch, 0}
`);

/** Answers Redis's time in microseconds. KEYS: any of the cache. */
export const TIME = script(`
return digits(now)
`);

/**
 * Answers the epoch of a bucket, which begins with the first question, how many changes were told of, and
 * which run of which server this is, where it says so. A replica that says so is one that takes no changes.
 *
 * KEYS: counters. ARGV: '1' to ask whether it is a replica.
 */
export const COUNT = script(`
local role = ARGV[1] == '1' and redis.pcall('INFO', 'replication')
if type(role) == 'string' and string.find(role, 'role:slave', 1, true) then
  return redis.error_reply('READONLY This server is a replica.')
end
local counts = redis.pcall('HMGET', KEYS[1], 'e', 'n')
if counts.err or not counts[1] then
  beginThoughFull(KEYS[1])
  advance(KEYS[1], countersOf(KEYS[1]))
  counts = redis.call('HMGET', KEYS[1], 'e', 'n')
end
local info = redis.pcall('INFO', 'server')
return {counts[1], counts[2], type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''}
`);

/** Keeps a lease for longer, or gives it back. KEYS: lease. ARGV: token, time in ms or 0. */
export const EXTEND = script(`
if not owns(ARGV[1], leaseOf(textsFrom(1)[1])) then return 0 end
if tonumber(ARGV[2]) == 0 then return redis.call('DEL', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`);

function script(body: string): RedisScript {
  const source = COMMON + body;
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}
