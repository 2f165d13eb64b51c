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
  NONCE_LENGTH,
  TIME,
  WRITE,
} from '../../lib/redis/scripts.js';

/** What is kept under one name: a text, bytes as one character each, or the counters of a bucket. */
interface Kept {
  value: string | Map<string, string>;
  /** Redis's time in milliseconds. */
  expiresAt: number;
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

/** What only an unreadable version or count is above. */
const LAST_NUMBER = 9e15;

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
    const value = this.#find(name)?.value;
    return typeof value === 'string' ? value : undefined;
  }

  fields(name: string): Map<string, string> | undefined {
    const value = this.#find(name)?.value;
    return typeof value === 'string' ? undefined : value;
  }

  /** For how many milliseconds it keeps it; -1 without an end, -2 where there is nothing. */
  ttlOf(name: string): number {
    const kept = this.#find(name);
    if (kept === undefined) return -2;
    return kept.expiresAt === Infinity ? -1 : kept.expiresAt - this.#now;
  }

  setField(name: string, field: string, value: string): void {
    let fields = this.fields(name);
    if (fields === undefined) {
      fields = new Map();
      this.#kept.set(name, { value: fields, expiresAt: Infinity });
    }
    fields.set(field, value);
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

  /** Whether a text is a number; what is not where one should be is as good as lost. */
  isNumber(text: string): boolean {
    return /^\d{1,16}$/.test(text);
  }

  isTooLate(latestMs: number): boolean {
    return this.micros > latestMs * 1_000;
  }

  owns(token: string, lease: string | undefined): boolean {
    return lease?.slice(0, NONCE_LENGTH) === token;
  }

  isSameEpoch(counters: string, epoch: string): boolean {
    return !this.areLost(counters) && this.fields(counters)?.get('e') === epoch;
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
    return (this.#numberOf(this.fields(counters)?.get('t') ?? '0') ?? leased) >= leased;
  }

  isHold(lease: string | undefined): boolean {
    return lease?.startsWith('#') === true;
  }

  /** Whether a load can not be stored any more that has a lease. */
  isDoomed(lease: string, mark: string): boolean {
    return mark.slice(12, 28) >= lease.slice(12, 28);
  }

  hasValue(value: string | undefined, { forced, rejected }: Wanted): value is string {
    const freshUntil = this.#numberOf(value?.slice(FRESH_AT, STALE_AT));
    const isFresh = freshUntil !== undefined && freshUntil * 1_000 > this.micros;
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

  replaceMark(name: string, mark: string, keepMs: number): void {
    this.#set(name, mark, keepMs);
  }

  /** Makes a mark that is not there. */
  makeMark(name: string, nonce: string, keepMs: number): string {
    const mark = nonce + digits(0) + digits(0);
    this.#set(name, mark, keepMs);
    return mark;
  }

  /** Ends the freshness of a value that has grace; returns whether it has. */
  expire(name: string, version: number): boolean {
    const value = this.text(name) ?? '';
    const head = value.slice(FRESH_AT, FRESH_AT + 2 * DIGITS);
    const fresh = this.#numberOf(head.slice(0, DIGITS));
    const stale = this.#numberOf(head.slice(DIGITS));
    if (fresh === undefined || stale === undefined || stale <= fresh) return false;
    const ended = Math.min(fresh, Math.floor(this.micros / 1_000));
    this.#find(name)!.value = digits(version) + digits(ended) + value.slice(STALE_AT);
    return true;
  }

  versionAfter(last: number): number {
    return Math.max(this.micros, last + 1);
  }

  areLost(counters: string): boolean {
    return ['v', 'n'].some((field) => {
      const number = this.#numberOf(this.fields(counters)?.get(field) ?? '0') ?? Infinity;
      return number > LAST_NUMBER;
    });
  }

  nextVersion(counters: string): number {
    if (this.areLost(counters)) this.remove(counters);
    const version = this.versionAfter(Number(this.fields(counters)?.get('v') ?? 0));
    this.setField(counters, 'v', digits(version));
    if (this.fields(counters)?.get('e') === undefined)
      this.setField(counters, 'e', digits(version));
    return version;
  }

  countOf(counters: string): RedisReply {
    if (this.fields(counters)?.get('e') === undefined) this.nextVersion(counters);
    const fields = this.fields(counters)!;
    const counts = ['e', 'n'].map((field) => {
      const value = fields.get(field);
      return value === undefined ? null : bytesOf(value);
    });
    return [...counts, bytesOf(this.runId)];
  }

  tell(counters: string, args: readonly string[]): void {
    const [change, channel, origin] = args.slice(-3);
    const fields = this.fields(counters)!;
    const count = Number(fields.get('n') ?? 0) + 1;
    fields.set('n', String(count));
    this.publish(channel!, [origin, fields.get('e'), count, change].join(SEPARATOR));
  }

  /* The scripts. */

  #write(keys: readonly string[], args: readonly string[]): 'late' | 'fenced' | 'stored' {
    const [value, counters, lease, ...marks] = keys as [string, string, string, ...string[]];
    const [given, latest, until, keepMs, nonce, markMs, record] = args as string[] & { length: 7 };
    if (this.isTooLate(Number(latest))) return 'late';
    let isFenced = false;
    if (given !== '') {
      const [token, leased, epoch] = given!.split(' ');
      if (!this.owns(token!, this.#leaseOf(lease))) return 'fenced';
      if (!this.isSameEpoch(counters, epoch!)) return 'fenced';
      isFenced = marks.some((name, at) => this.#isFenced(name, at, counters, Number(leased)));
    }
    const nonces = marks.map((name) =>
      this.#keepMark(name, nonce!, [Number(keepMs), Number(markMs)]),
    );
    if (isFenced) return 'fenced';
    const head = digits(this.nextVersion(counters)) + until!;
    const count = String(nonces.length).padStart(2, '0');
    this.#set(value, head + count + nonces.join('') + record!, Number(keepMs));
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
  #keepMark(name: string, nonce: string, [keepMs, markMs]: [number, number]): string {
    const mark = this.#markOf(name);
    if (mark === undefined) return this.makeMark(name, nonce, markMs).slice(0, NONCE_LENGTH);
    if (this.ttlOf(name) < keepMs) this.#find(name)!.expiresAt = this.#now + markMs;
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
    const [nonce, holdMs, markMs] = args as [string, string, string];
    const version = this.nextVersion(counters);
    this.setField(counters, 't', digits(version));
    for (const name of marks) {
      const mark = this.#markOf(name);
      const until = Number(holdMs) > 0 ? this.#now + Number(holdMs) : 0;
      const held = Math.max(until, Number(mark?.slice(28, 44) ?? 0));
      if (mark !== undefined || Number(holdMs) > 0)
        this.replaceMark(name, nonce + digits(version) + digits(held), Number(markMs));
    }
    this.tell(counters, args);
    return version;
  }

  #lease(keys: readonly string[], args: readonly string[]): RedisReply {
    const [valueName, counters, leaseName, ...marks] = keys as [string, string, string];
    const [token, forMs, rejected, force, nonce, markMs] = args as string[] & { length: 6 };
    const now = this.micros;
    const text = this.text(valueName);
    const value = text === undefined ? null : bytesOf(text);
    if (this.hasValue(text, { forced: force === '1', rejected: rejected! }))
      return [bytesOf('hit'), value, bytesOf(digits(now)), bytesOf(''), 0];
    let lease = this.#leaseOf(leaseName);
    for (const name of marks) {
      const mark = this.#markOf(name);
      if (mark === undefined) this.makeMark(name, nonce!, Number(markMs));
      else if (lease !== undefined && !this.isHold(lease) && this.isDoomed(lease, mark))
        lease = undefined;
    }
    const version = digits(this.nextVersion(counters));
    const epoch = this.fields(counters)!.get('e')!;
    const answer = (state: string, waitMs: number): RedisReply => {
      return [bytesOf(state), value, bytesOf(version), bytesOf(epoch), waitMs];
    };
    if (this.isHold(lease)) return answer('held', this.ttlOf(leaseName));
    if (this.isTaken(lease)) return answer('wait', this.ttlOf(leaseName));
    this.giveLease(leaseName, token! + version, Number(forMs));
    return answer('load', 0);
  }

  #extend(name: string, args: readonly string[]): number {
    const [token, ms] = args as [string, string];
    if (!this.owns(token, this.#leaseOf(name))) return 0;
    if (Number(ms) === 0) this.remove(name);
    else this.#find(name)!.expiresAt = this.#now + Number(ms);
    return 1;
  }

  #numberOf(text: string | undefined): number | undefined {
    return text !== undefined && this.isNumber(text) ? Number(text) : undefined;
  }

  #markOf(name: string): string | undefined {
    const mark = this.text(name);
    const isWhole =
      mark !== undefined &&
      [mark.slice(12, 28), mark.slice(28)].every((part) => this.isNumber(part));
    return isWhole ? mark : undefined;
  }

  #leaseOf(name: string): string | undefined {
    const lease = this.text(name);
    if (lease === undefined || this.isHold(lease)) return lease;
    return this.isNumber(lease.slice(NONCE_LENGTH)) ? lease : undefined;
  }

  get #now(): number {
    return Math.floor(this.micros / 1_000);
  }

  #set(name: string, value: string, forMs: number): void {
    this.#kept.set(name, { value, expiresAt: this.#now + forMs });
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
  return new Map(
    [...all].map(([name, { value, expiresAt }]) => {
      return [name, { value: typeof value === 'string' ? value : new Map(value), expiresAt }];
    }),
  );
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
