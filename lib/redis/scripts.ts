import { createHash } from 'node:crypto';
import type { RedisScript } from './redis-driver.js';

/** For how long Redis keeps an entry at most, in milliseconds. */
export const MAX_TTL_MS = 7 * 24 * 3_600_000;
/** Marks outlive every entry that was stored with them. */
export const MARK_TTL_MS = MAX_TTL_MS + 24 * 3_600_000;

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
 * time until which it is held. For a lease: its token, the version when it was given; or `#` for a hold. The
 * counters of a bucket: its last version; its first ("epoch"), which tells whether they were lost; how many
 * changes were told of; the version of the last invalidation of any namespace or tag. Numbers have 16 digits.
 *
 * What is in Redis may be anything. What a script finds that it cannot read is as good as lost: `markOf`
 * and `leaseOf` say that there is none, and `countersOf` begins anew.
 *
 * Lua hands over a few thousand arguments at most, so `textsFrom` asks for a thousand at a time.
 *
 * A server whose memory is full refuses scripts that may need more, but only before they have written:
 * what invalidates begins with a write that changes nothing, and is carried out all the same.
 *
 * Every change is told to the other processes in the same step. The last of ARGV: the channel, and what is
 * told behind epoch and count.
 */
const COMMON = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function digits(number)
  return string.format('%016.0f', number)
end
local function textsFrom(first)
  local texts = redis.call('MGET', unpack(KEYS, first, math.min(first + 999, #KEYS)))
  for from = first + 1000, #KEYS, 1000 do
    local more = redis.call('MGET', unpack(KEYS, from, math.min(from + 999, #KEYS)))
    for at = 1, #more do texts[#texts + 1] = more[at] end
  end
  return texts
end
local function isDigits(text, from, to)
  return text and #text == to and not string.find(text, '%D', from)
end
local function markOf(text)
  return isDigits(text, 13, 44) and text
end
local function isHold(lease)
  return lease and string.sub(lease, 1, 1) == '#'
end
local function leaseOf(text)
  return (isHold(text) or isDigits(text, 13, 28)) and text
end
local function owns(token, lease)
  return lease and string.sub(lease, 1, 12) == token
end
local function areKept(text)
  return isDigits(text, 1, 64) and text < '9' and string.sub(text, 33, 48) < '9'
end
local function countersOf(text)
  if not areKept(text) then
    local first = math.max(now, 1)
    return first, digits(first), 0, digits(0)
  end
  local version, count = tonumber(string.sub(text, 1, 16)), tonumber(string.sub(text, 33, 48))
  return math.max(now, version + 1), string.sub(text, 17, 32), count, string.sub(text, 49)
end
local function keep(counters, version, epoch, count, lastMark)
  version, count = digits(version), digits(count)
  redis.call('SET', counters, version .. epoch .. count .. lastMark)
  return version, epoch, count
end
local function change(counters, version, epoch, count, lastMark)
  version, epoch, count = keep(counters, version, epoch, count + 1, lastMark)
  redis.call('PUBLISH', ARGV[#ARGV - 1], epoch .. '\\30' .. count .. '\\30' .. ARGV[#ARGV])
  return version
end
local function beginThoughFull(counters)
  redis.call('PERSIST', counters)
end
`;

/**
 * Stores an entry, unless it comes too late. A load is stored while it has its lease, and nothing that
 * concerns it was invalidated since, or held when it began. Of a tag that it was the first to name nothing
 * is known: where any was invalidated meanwhile this could be the one. From then on the tag has a mark, so
 * the next load is told apart.
 *
 * KEYS: value, counters, lease, marks: of the generation, the namespaces, the tags.
 * ARGV: one behind the other, since each argument of its own costs more: time after which it is too late,
 * until when it is fresh and stale, time to keep in ms, nonce for new marks, and of a load the token, the version
 * and the epoch of its lease, with spaces between; the record.
 */
export const WRITE = script(`
local terms, texts = ARGV[1], textsFrom(2)
if now > tonumber(string.sub(terms, 1, 16)) * 1000 then return 'late' end
local keepMs, token = tonumber(string.sub(terms, 49, 64)), string.sub(terms, 77, 88)
local leased, leasedIn = string.sub(terms, 90, 105), string.sub(terms, 107)
local version, epoch, count, lastMark = countersOf(texts[1])
local lease, isLoad = leaseOf(texts[2]), token ~= ''
if isLoad and not (owns(token, lease) and leasedIn == epoch) then return 'fenced' end
local isFenced, nonces = false, ''
for i = 4, #KEYS do
  local mark = markOf(texts[i - 1])
  if isLoad and mark then
    isFenced = isFenced or string.sub(mark, 13, 28) >= leased
      or tonumber(string.sub(mark, 29)) * 1000 > math.min(tonumber(leased), now)
  elseif isLoad then
    isFenced = isFenced or i == 4 or lastMark >= leased
  end
  if not mark then
    mark = string.sub(terms, 65, 76) .. digits(0) .. digits(0)
    redis.call('SET', KEYS[i], mark, 'PX', ${MARK_TTL_MS})
  elseif redis.call('PTTL', KEYS[i]) < keepMs then
    redis.call('PEXPIRE', KEYS[i], ${MARK_TTL_MS})
  end
  nonces = nonces .. string.sub(mark, 1, 12)
end
if isFenced then return 'fenced' end
version = change(KEYS[2], version, epoch, count, lastMark)
local head = version .. string.sub(terms, 17, 48) .. string.format('%02d', #KEYS - 3)
redis.call('SET', KEYS[1], head .. nonces .. ARGV[2], 'PX', keepMs)
if texts[2] and not isHold(lease) then redis.call('DEL', KEYS[3]) end
return 'stored'
`);

/**
 * Deletes a key, or ends its freshness. Whoever loads it loses the lease. A hold is never shortened.
 *
 * KEYS: value, counters, lease. ARGV: time to hold in ms, '1' to keep a stale entry.
 */
export const DELETE = script(`
beginThoughFull(KEYS[2])
local hold, texts = tonumber(ARGV[1]), textsFrom(2)
local version = change(KEYS[2], countersOf(texts[1]))
local head = ARGV[2] == '1' and redis.pcall('GETRANGE', KEYS[1], 16, 47)
local hasEnds = type(head) == 'string' and isDigits(head, 1, 32)
local fresh, stale = hasEnds and string.sub(head, 1, 16), hasEnds and string.sub(head, 17)
if hasEnds and stale > fresh then
  local ended = math.min(tonumber(fresh), math.floor(now / 1000))
  redis.call('SETRANGE', KEYS[1], 0, version .. digits(ended))
else
  redis.call('DEL', KEYS[1])
end
local held = isHold(texts[2]) and redis.call('PTTL', KEYS[3]) or 0
if hold > math.max(held, 0) then
  redis.call('SET', KEYS[3], '#', 'PX', hold)
elseif held <= 0 then
  redis.call('DEL', KEYS[3])
end
return version
`);

/**
 * Replaces the nonces of marks: whatever was stored with the old ones is a miss. One that is not there gets
 * none unless it is held: nothing that is stored is valid without it.
 *
 * KEYS: counters, marks. ARGV: nonce, time to hold in ms.
 */
export const INVALIDATE = script(`
beginThoughFull(KEYS[1])
local hold, texts = tonumber(ARGV[2]), textsFrom(1)
local next, epoch, count = countersOf(texts[1])
local version = change(KEYS[1], next, epoch, count, digits(next))
for i = 2, #KEYS do
  local mark = markOf(texts[i])
  local held = hold > 0 and math.floor(now / 1000) + hold or 0
  if mark then held = math.max(held, tonumber(string.sub(mark, 29))) end
  if mark or hold > 0 then
    redis.call('SET', KEYS[i], ARGV[1] .. version .. digits(held), 'PX', ${MARK_TTL_MS})
  end
end
return version
`);

/**
 * Gives the load of a key to one caller of the fleet. A lease whose load could not be stored any more, since
 * a tag, a namespace or everything was invalidated, is passed on.
 *
 * KEYS: value, counters, lease, marks. ARGV: token, which is the nonce of new marks as well; time that the
 * lease lasts in ms; version of a value that the caller has judged invalid or ''; '1' to load although there
 * is a value.
 * Answers: 'hit', 'load', 'wait' or 'held'; the value; the version; the epoch; how long to wait in ms.
 */
export const LEASE = script(`
local texts = textsFrom(1)
local value, lease = texts[1], leaseOf(texts[3])
local freshUntil = value and string.sub(value, 17, 32)
local isFresh = isDigits(freshUntil, 1, 16) and tonumber(freshUntil) * 1000 > now
if isFresh and ARGV[4] ~= '1' and string.sub(value, 1, 16) ~= ARGV[3] then
  return {'hit', value, digits(now), '', 0}
end
for i = 4, #KEYS do
  local mark = markOf(texts[i])
  if not mark then
    redis.call('SET', KEYS[i], ARGV[1] .. digits(0) .. digits(0), 'PX', ${MARK_TTL_MS})
  elseif lease and not isHold(lease) and string.sub(mark, 13, 28) >= string.sub(lease, 13) then
    lease = false
  end
end
local version, epoch = keep(KEYS[2], countersOf(texts[2]))
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
local text = textsFrom(1)[1]
if not areKept(text) then
  beginThoughFull(KEYS[1])
  keep(KEYS[1], countersOf(text))
  text = textsFrom(1)[1]
end
local info = redis.pcall('INFO', 'server')
local server = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
return {string.sub(text, 17, 32), string.sub(text, 33, 48), server}
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
