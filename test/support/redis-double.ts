import type { Clock } from '../../lib/clock.js';
import type { RedisArgument, RedisReply } from '../../lib/redis/redis-connection.js';
import type { RedisScript } from '../../lib/redis/redis-driver.js';
import {
  COUNT,
  DELETE,
  DIGITS,
  EXTEND,
  INVALIDATE,
  LEASE,
  MARK_TTL_MS,
  NONCE_LENGTH,
  TIME,
  WRITE,
} from '../../lib/redis/scripts.js';

/** What is kept under one name: bytes as one character each. */
interface Kept {
  text: string;
  /** Redis's time in milliseconds. */
  expiresAt: number;
}

/** What is kept of a bucket. */
interface Counters {
  readonly version: number;
  readonly epoch: string;
  readonly count: number;
  readonly lastMark: string;
}

type Script = (keys: readonly string[], args: readonly string[]) => RedisReply;

/** Redis's time when the clock shows 0, in milliseconds. */
const TIME_AT_ZERO = 1_700_000_000_000;
const FRESH_AT = DIGITS;
const STALE_AT = 2 * DIGITS;
const SEPARATOR = '\u001e';

const SCRIPTS = [WRITE, DELETE, INVALIDATE, LEASE, TIME, COUNT, EXTEND];

/** Returns the script that a command calls, by its digest or its source. */
export function scriptOf(which: RedisArgument): RedisScript {
  return SCRIPTS.find(({ sha1, source }) => which === sha1 || which === source)!;
}

/** No version or count that a script has written is so high. */
const FIRST_LOST = 9e15;

/**
 * A Redis in memory that knows the scripts of the level and no other command but MGET. What the scripts
 * decide is a method each, so that a test can have it decide otherwise.
 */
export class RedisDouble {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #kept = new Map<string, Kept>();
  readonly #scripts: ReadonlyMap<RedisScript, Script> = new Map<RedisScript, Script>([
    [WRITE, (keys, args) => bytesOf(this.#write(keys, args))],
    [DELETE, (keys, args) => this.#delete(keys, args)],
    [INVALIDATE, (keys, args) => this.#invalidate(keys, args)],
    [LEASE, (keys, args) => this.#lease(keys, args)],
    [TIME, () => bytesOf(digits(this.micros))],
    [COUNT, ([counters]) => this.countOf(counters!)],
    [EXTEND, (keys, args) => this.#extend(keys[0]!, args)],
  ]);
  /** Hears what scripts publish. */
  publish: (channel: string, message: string) => void = () => {};
  /** Which run of which server it is. */
  runId = 'run';

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Its time in microseconds. */
  get micros(): number {
    return Math.floor((TIME_AT_ZERO + this.#clock.now()) * 1_000);
  }

  mget(keys: readonly string[]): (Buffer | null)[] {
    return keys.map((key) => {
      const text = this.text(key);
      return text === undefined ? null : bytesOf(text);
    });
  }

  run(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): RedisReply {
    return this.#scripts.get(script)!(keys, args.map(textOf));
  }

  /** The names of what it keeps. */
  names(): string[] {
    return [...this.#kept.keys()].filter((name) => this.#find(name) !== undefined);
  }

  /** What it keeps under a name as a text. */
  text(name: string): string | undefined {
    return this.#find(name)?.text;
  }

  /** For how many milliseconds it keeps it; -1 without an end, -2 where there is nothing. */
  ttlOf(name: string): number {
    const kept = this.#find(name);
    if (kept === undefined) return -2;
    return kept.expiresAt === Infinity ? -1 : kept.expiresAt - this.#now;
  }

  /** Keeps a text under a name, whatever a script would make of it. */
  put(name: string, text: string, forMs: number): void {
    this.#set(name, text, forMs);
  }

  remove(name: string): void {
    this.#kept.delete(name);
  }

  /** Keeps all that there is now, as a replica does; returns what brings it back, and nothing else. */
  copy(): () => void {
    const copies = copiesOf(this.#kept);
    return () => {
      this.#kept.clear();
      for (const [name, kept] of copiesOf(copies)) this.#kept.set(name, kept);
    };
  }

  /* What the scripts decide, in their order. */

  /** Whether a text ends in digits; what does not where it should is as good as lost. */
  isDigits(text: string, from: number, to: number): boolean {
    return text.length === to && /^\d*$/.test(text.slice(from));
  }

  isTooLate(latestMs: number): boolean {
    return this.micros > latestMs * 1_000;
  }

  owns(token: string, lease: string | undefined): boolean {
    return lease?.slice(0, NONCE_LENGTH) === token;
  }

  isSameEpoch(counters: string, epoch: string): boolean {
    return this.#countersOf(counters)?.epoch === epoch;
  }

  /** Whether what a mark stands for was invalidated since a lease was given. */
  isInvalidated(mark: string, leased: number): boolean {
    return versionOf(mark) >= leased;
  }

  /** Whether what a mark stands for was held when a lease was given, or is now. */
  isHeld(mark: string, leased: number): boolean {
    return Number(mark.slice(28, 44)) * 1_000 > Math.min(leased, this.micros);
  }

  /** Whether a mark that nobody has made yet could be one of those invalidated since a lease was given. */
  mayBeInvalidated(counters: string, leased: number): boolean {
    return Number(this.#countersOf(counters)?.lastMark ?? leased) >= leased;
  }

  isHold(lease: string | undefined): boolean {
    return lease?.startsWith('#') === true;
  }

  /** Whether a load can not be stored any more that has a lease. */
  isDoomed(lease: string, mark: string): boolean {
    return mark.slice(12, 28) >= lease.slice(12, 28);
  }

  hasValue(value: string | undefined, { forced, rejected }: Wanted): value is string {
    const freshUntil = value?.slice(FRESH_AT, STALE_AT) ?? '';
    const isFresh =
      this.isDigits(freshUntil, 0, DIGITS) && Number(freshUntil) * 1_000 > this.micros;
    return isFresh && !forced && value!.slice(0, DIGITS) !== rejected;
  }

  isTaken(lease: string | undefined): boolean {
    return lease !== undefined;
  }

  giveLease(name: string, lease: string, forMs: number): void {
    this.#set(name, lease, forMs);
  }

  /** Takes the lease of a key away; whoever loads it can not store it any more. */
  takeLease(name: string): void {
    this.remove(name);
  }

  hold(name: string, forMs: number): void {
    this.#set(name, '#', forMs);
  }

  replaceMark(name: string, mark: string): void {
    this.#set(name, mark, MARK_TTL_MS);
  }

  /** Makes a mark that is not there. */
  makeMark(name: string, nonce: string): string {
    const mark = nonce + digits(0) + digits(0);
    this.#set(name, mark, MARK_TTL_MS);
    return mark;
  }

  /** Ends the freshness of a value that has grace; returns whether it has. */
  expire(name: string, version: number): boolean {
    const value = this.text(name) ?? '';
    const head = value.slice(FRESH_AT, FRESH_AT + 2 * DIGITS);
    const [fresh, stale] = [Number(head.slice(0, DIGITS)), Number(head.slice(DIGITS))];
    if (!this.isDigits(head, 0, 2 * DIGITS) || stale <= fresh) return false;
    const ended = Math.min(fresh, Math.floor(this.micros / 1_000));
    this.#find(name)!.text = digits(version) + digits(ended) + value.slice(STALE_AT);
    return true;
  }

  versionAfter(last: number): number {
    return Math.max(this.micros, last + 1);
  }

  nextVersion(counters: string): number {
    const { version: last = 0, ...kept } = this.#countersOf(counters) ?? {};
    const version = this.versionAfter(last);
    this.#keepCounters(counters, {
      epoch: digits(version),
      count: 0,
      lastMark: digits(0),
      ...kept,
      version,
    });
    return version;
  }

  countOf(counters: string): RedisReply {
    if (this.#countersOf(counters) === undefined) this.nextVersion(counters);
    const { epoch, count } = this.#countersOf(counters)!;
    return [epoch, digits(count), this.runId].map(bytesOf);
  }

  tell(counters: string, args: readonly string[]): void {
    const [channel, told] = args.slice(-2);
    const kept = this.#countersOf(counters)!;
    const count = kept.count + 1;
    this.#keepCounters(counters, { ...kept, count });
    this.publish(channel!, [kept.epoch, digits(count), told].join(SEPARATOR));
  }

  /* The scripts. */

  #write(keys: readonly string[], args: readonly string[]): 'late' | 'fenced' | 'stored' {
    const [value, counters, lease, ...marks] = keys as [string, string, string, ...string[]];
    const [terms, record] = args as [string, string];
    const [latest, keepMs] = [Number(terms.slice(0, 16)), Number(terms.slice(48, 64))];
    const [ends, nonce, given] = [terms.slice(16, 48), terms.slice(64, 76), terms.slice(76)];
    if (this.isTooLate(latest)) return 'late';
    let isFenced = false;
    if (given !== '') {
      const [token, leased, epoch] = given.split(' ');
      if (!this.owns(token!, this.#leaseOf(lease))) return 'fenced';
      if (!this.isSameEpoch(counters, epoch!)) return 'fenced';
      isFenced = marks.some((name, at) => this.#isFenced(name, at, counters, Number(leased)));
    }
    const nonces = marks.map((name) => this.#keepMark(name, nonce, keepMs));
    if (isFenced) return 'fenced';
    const head = digits(this.nextVersion(counters)) + ends;
    const count = String(nonces.length).padStart(2, '0');
    this.#set(value, head + count + nonces.join('') + record, keepMs);
    if (!this.isHold(this.#leaseOf(lease))) this.takeLease(lease);
    this.tell(counters, args);
    return 'stored';
  }

  #isFenced(name: string, at: number, counters: string, leased: number): boolean {
    const mark = this.#markOf(name);
    if (mark === undefined) return at === 0 || this.mayBeInvalidated(counters, leased);
    return this.isInvalidated(mark, leased) || this.isHeld(mark, leased);
  }

  /** Returns the nonce of a mark, which is there from then on for longer than what is stored with it. */
  #keepMark(name: string, nonce: string, keepMs: number): string {
    const mark = this.#markOf(name);
    if (mark === undefined) return this.makeMark(name, nonce).slice(0, NONCE_LENGTH);
    if (this.ttlOf(name) < keepMs) this.#find(name)!.expiresAt = this.#now + MARK_TTL_MS;
    return mark.slice(0, NONCE_LENGTH);
  }

  #delete(keys: readonly string[], args: readonly string[]): number {
    const [value, counters, lease] = keys as [string, string, string];
    const hold = Number(args[0]);
    const version = this.nextVersion(counters);
    if (args[1] !== '1' || !this.expire(value, version)) this.remove(value);
    const held = this.isHold(this.#leaseOf(lease)) ? this.ttlOf(lease) : 0;
    if (hold > held) this.hold(lease, hold);
    else if (held <= 0) this.takeLease(lease);
    this.tell(counters, args);
    return version;
  }

  #invalidate(keys: readonly string[], args: readonly string[]): number {
    const [counters, ...marks] = keys as [string, ...string[]];
    const [nonce, holdMs] = args as [string, string];
    const version = this.nextVersion(counters);
    this.#keepCounters(counters, { ...this.#countersOf(counters)!, lastMark: digits(version) });
    for (const name of marks) {
      const mark = this.#markOf(name);
      const until = Number(holdMs) > 0 ? this.#now + Number(holdMs) : 0;
      const held = Math.max(until, Number(mark?.slice(28, 44) ?? 0));
      if (mark !== undefined || Number(holdMs) > 0)
        this.replaceMark(name, nonce + digits(version) + digits(held));
    }
    this.tell(counters, args);
    return version;
  }

  #lease(keys: readonly string[], args: readonly string[]): RedisReply {
    const [valueName, counters, leaseName, ...marks] = keys as [string, string, string];
    const [token, forMs, rejected, force] = args as [string, string, string, string];
    const now = this.micros;
    const text = this.text(valueName);
    const value = text === undefined ? null : bytesOf(text);
    if (this.hasValue(text, { forced: force === '1', rejected }))
      return [bytesOf('hit'), value, bytesOf(digits(now)), bytesOf(''), 0];
    let lease = this.#leaseOf(leaseName);
    for (const name of marks) {
      const mark = this.#markOf(name);
      if (mark === undefined) this.makeMark(name, token);
      else if (lease !== undefined && !this.isHold(lease) && this.isDoomed(lease, mark))
        lease = undefined;
    }
    const version = digits(this.nextVersion(counters));
    const { epoch } = this.#countersOf(counters)!;
    const answer = (state: string, waitMs: number): RedisReply => {
      return [bytesOf(state), value, bytesOf(version), bytesOf(epoch), waitMs];
    };
    if (this.isHold(lease)) return answer('held', this.ttlOf(leaseName));
    if (this.isTaken(lease)) return answer('wait', this.ttlOf(leaseName));
    this.giveLease(leaseName, token + version, Number(forMs));
    return answer('load', 0);
  }

  #extend(name: string, args: readonly string[]): number {
    const [token, ms] = args as [string, string];
    if (!this.owns(token, this.#leaseOf(name))) return 0;
    if (Number(ms) === 0) this.remove(name);
    else this.#find(name)!.expiresAt = this.#now + Number(ms);
    return 1;
  }

  /** Returns `undefined` where there are none, or none that can be read. */
  #countersOf(name: string): Counters | undefined {
    const text = this.text(name);
    if (text === undefined || !this.isDigits(text, 0, 4 * DIGITS)) return undefined;
    const [version, count] = [Number(text.slice(0, 16)), Number(text.slice(32, 48))];
    if (version >= FIRST_LOST || count >= FIRST_LOST) return undefined;
    return { version, epoch: text.slice(16, 32), count, lastMark: text.slice(48) };
  }

  #keepCounters(name: string, { version, epoch, count, lastMark }: Counters): void {
    this.#set(name, digits(version) + epoch + digits(count) + lastMark, Infinity);
  }

  #markOf(name: string): string | undefined {
    const mark = this.text(name);
    return mark !== undefined && this.isDigits(mark, NONCE_LENGTH, 44) ? mark : undefined;
  }

  #leaseOf(name: string): string | undefined {
    const lease = this.text(name);
    if (lease === undefined || this.isHold(lease)) return lease;
    return this.isDigits(lease, NONCE_LENGTH, 28) ? lease : undefined;
  }

  get #now(): number {
    return Math.floor(this.micros / 1_000);
  }

  #set(name: string, text: string, forMs: number): void {
    this.#kept.set(name, { text, expiresAt: this.#now + forMs });
  }

  #find(name: string): Kept | undefined {
    const kept = this.#kept.get(name);
    if (kept !== undefined && this.#now > kept.expiresAt) {
      this.#kept.delete(name);
      return undefined;
    }
    return kept;
  }
}

interface Wanted {
  readonly forced: boolean;
  /** The version that whoever asks has found to be invalid. */
  readonly rejected: string;
}

function copiesOf(all: ReadonlyMap<string, Kept>): Map<string, Kept> {
  return new Map([...all].map(([name, kept]) => [name, { ...kept }]));
}

function versionOf(mark: string): number {
  return Number(mark.slice(12, 28));
}

function digits(number: number): string {
  return String(number).padStart(DIGITS, '0');
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function textOf(argument: RedisArgument): string {
  return typeof argument === 'string' ? argument : argument.toString('latin1');
}
