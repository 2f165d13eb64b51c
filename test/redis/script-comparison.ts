import { RedisDriver, type RedisScript } from '../../lib/redis/redis-driver.js';
import type { RedisReply } from '../../lib/redis/redis-connection.js';
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
import { RedisDouble } from '../support/redis-double.js';
import { randomFrom, type Random } from '../support/random.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** The real server, and what looks into it. */
export interface RealRedis {
  readonly driver: RedisDriver;
  command(name: string, ...args: string[]): Promise<unknown>;
}

/** A text that each side has of its own: what it has answered before, or a time by its clock. */
type Own = (side: Side) => string;
type Side = 'real' | 'double';
const SIDES: readonly Side[] = ['real', 'double'];

interface GivenLease {
  readonly key: string;
  readonly token: string;
  readonly version: Own;
  readonly epoch: Own;
}

/** Far more than a comparison takes: times that differ by less are taken for equal. */
const FAR_MS = 100_000;
const SHORT_MS = 1;
/** What is less is no time that a server has written. */
const SHORTEST_TIME = 1e9;
const PASS_MS = 4;
const KEYS = ['a', 'b'];
const TAGS = ['t:x', 't:y'];
const CHANNEL = 'changes';
const NINES = '9'.repeat(DIGITS);
/** Texts that a script can not read, wholly or in part. */
const SPOILT = [
  '',
  'x',
  '#',
  '-'.repeat(NONCE_LENGTH) + '12',
  `${'-'.repeat(NONCE_LENGTH)}${'0'.repeat(16)}x`,
  `${'-'.repeat(NONCE_LENGTH)}${'0'.repeat(16)}5`,
  `${'0'.repeat(16)}${'1'.repeat(4)}`,
];

/**
 * Sends the same scripts to the double and to a real server, as a seed says, and compares what they answer,
 * publish and keep. Times differ, so of them it is compared which are equal and which come first, or, of
 * those that lie far from now, how far.
 */
export class ScriptComparison {
  readonly #real: RealRedis;
  readonly #random: Random;
  readonly #clock = new VirtualClock();
  readonly #double = new RedisDouble(this.#clock);
  readonly #prefix: string;
  readonly #leases: GivenLease[] = [];
  /** The times that both have answered with or kept, in pairs. */
  readonly #moments: { real: number; double: number }[] = [];
  readonly #told: string[] = [];
  #startMs: Readonly<Record<Side, number>> = { real: 0, double: 0 };
  #nonces = 0;
  #runId = '';
  #last = '';

  constructor(seed: number, real: RealRedis) {
    this.#real = real;
    this.#random = randomFrom(seed);
    this.#prefix = `run-${seed}:`;
    this.#double.publish = (_, message) => this.#told.push(message);
  }

  /**
   * Returns what was not equal first, or `undefined`.
   *
   * @param heard what was published on the real server, the oldest first
   */
  async run(steps: number, heard: readonly string[]): Promise<string | undefined> {
    const heardBefore = heard.length;
    const micros = Number(await this.#real.driver.run(TIME, [this.#name('m')], []));
    this.#startMs = {
      real: Math.floor(micros / 1_000),
      double: Math.floor(this.#double.micros / 1_000),
    };
    const info = String(await this.#real.command('INFO', 'server'));
    this.#runId = this.#double.runId = /run_id:(\w+)/.exec(info)![1]!;
    for (let step = 1; step <= steps; step++) {
      const problem =
        (await this.#act()) ?? (step % 5 === 0 ? await this.#compareKept() : undefined);
      if (problem !== undefined) return `step ${step}, after ${this.#last}: ${problem}`;
    }
    const problem = this.#compareMoments() ?? (await this.#compareTold(heard, heardBefore));
    await this.#clear();
    return problem;
  }

  async #act(): Promise<string | undefined> {
    await this.#clock.advance(1);
    const random = this.#random;
    const key = random.pick(KEYS);
    return random.weighted<() => Promise<string | undefined>>([
      [8, () => this.#lease(key)],
      [8, () => this.#write(key)],
      [3, () => this.#delete(key)],
      [3, () => this.#invalidate()],
      [2, () => this.#extend()],
      [1, () => this.#call(COUNT, ['m'], [])],
      [1, () => this.#call(TIME, ['m'], [])],
      [2, () => this.#lose()],
      [1, () => this.#jumpAhead()],
      [1, () => this.#age()],
      [2, () => this.#spoil()],
      [1, () => this.#spoilCounters()],
      [2, () => this.#compareValues()],
    ])();
  }

  async #lease(key: string): Promise<string | undefined> {
    const random = this.#random;
    const token = this.#nonce();
    const forMs = random.below(4) === 0 ? SHORT_MS : FAR_MS;
    const rejected = random.below(3) === 0 ? await this.#versionOf(key) : own('');
    const force = own(random.below(4) === 0 ? '1' : '0');
    const args = [own(token), own(forMs), rejected, force];
    const replies = await this.#callBoth(LEASE, this.#namesOf(key, this.#someTags()), args);
    const [state] = replies.double as [Buffer];
    if (String(state) === 'load') {
      const part =
        (at: number): Own =>
        (side) =>
          String((replies[side] as Buffer[])[at]);
      this.#leases.push({ key, token, version: part(2), epoch: part(3) });
    }
    const problem = this.#compare(replies);
    if (forMs === SHORT_MS) await this.#pass();
    return problem;
  }

  #write(key: string): Promise<string | undefined> {
    const random = this.#random;
    const lease = random.below(3) === 0 ? undefined : this.#someLease(key);
    const isLost = random.below(8) === 0;
    const given: Own = (side) => {
      if (lease === undefined) return '';
      return [lease.token, lease.version(side), isLost ? '' : lease.epoch(side)].join(' ');
    };
    const latestMs = random.below(6) === 0 ? -FAR_MS : FAR_MS;
    const freshMs = random.pick([-FAR_MS, FAR_MS, 2 * FAR_MS]);
    const staleMs = freshMs + random.pick([0, 2 * FAR_MS]);
    const keepMs = inDigits(random.pick([FAR_MS, 3 * FAR_MS]));
    const nonce = this.#nonce();
    return this.#call(WRITE, this.#namesOf(key, this.#someTags()), [
      (side) => {
        const times = [latestMs, freshMs, staleMs].map((ms) => inDigits(this.#startMs[side] + ms));
        return [...times, keepMs, nonce, given(side)].join('');
      },
      own(`\u0000\u00ffrecord of ${this.#nonce()}`),
      ...this.#toldOf(`k${key}`),
    ]);
  }

  #delete(key: string): Promise<string | undefined> {
    const hold = this.#random.pick([0, 0, FAR_MS, 2 * FAR_MS]);
    const names = [`v:${key}`, 'm', `l:${key}`];
    const mode = [own(hold), own(this.#random.pick(['0', '1']))];
    return this.#call(DELETE, names, [...mode, ...this.#toldOf(`d${key}`)]);
  }

  #invalidate(): Promise<string | undefined> {
    const marks = this.#random.pick([['g'], ['n'], TAGS, ['t:x'], ['t:y']]);
    const hold = this.#random.pick([0, 0, FAR_MS, 2 * FAR_MS]);
    const args = [own(this.#nonce()), own(hold), ...this.#toldOf('t')];
    return this.#call(INVALIDATE, ['m', ...marks], args);
  }

  #extend(): Promise<string | undefined> {
    const key = this.#random.pick(KEYS);
    const token = this.#someLease(key)?.token ?? this.#nonce();
    return this.#call(EXTEND, [`l:${key}`], [own(token), own(this.#random.pick([0, 3 * FAR_MS]))]);
  }

  /** Redis may lose any key. */
  async #lose(): Promise<undefined> {
    const name = this.#name(this.#random.pick(['v:a', 'l:a', 'm', 'g', 'n', ...TAGS]));
    this.#last = `the loss of ${name}`;
    this.#double.remove(name);
    await this.#real.command('DEL', name);
  }

  /** Counters that are ahead of the clock: it went back. */
  async #jumpAhead(): Promise<undefined> {
    this.#last = 'a jump of the clock';
    const text = await this.#textOf('m');
    await this.#put('m', (side) => {
      const ahead = inDigits((this.#startMs[side] + 5 * FAR_MS) * 1_000);
      return ahead + (text(side).slice(DIGITS) || ahead + inDigits(0) + inDigits(0));
    });
  }

  /** A mark that was made long ago, or one that nobody invalidates any more. */
  async #age(): Promise<undefined> {
    this.#last = 'the age of a mark';
    const name = this.#random.pick(['g', 'n', ...TAGS]);
    const nonce = this.#nonce();
    await this.#put(name, () => nonce + inDigits(0) + inDigits(0), 2 * FAR_MS);
  }

  /** What is in Redis may be anything. */
  async #spoil(): Promise<undefined> {
    const name = this.#random.pick(['v:a', 'l:a', 'g', 'n', ...TAGS]);
    const text = this.#random.pick(SPOILT);
    this.#last = `${JSON.stringify(text)} in ${name}`;
    await this.#put(name, own(text), 2 * FAR_MS);
  }

  async #spoilCounters(): Promise<undefined> {
    const random = this.#random;
    const parts = [1, 1, 2, 0].map(inDigits);
    parts[random.below(4)] = random.pick([NINES, '', '-'.repeat(DIGITS), '1'.padStart(DIGITS)]);
    const text = random.pick([parts.join(''), `${parts.join('')}1`]);
    this.#last = `${JSON.stringify(text)} in the counters`;
    await this.#put('m', own(text));
  }

  /** Puts a text under a name on both sides. */
  async #put(short: string, text: Own, forMs = Infinity): Promise<void> {
    const name = this.#name(short);
    const ttl = forMs === Infinity ? [] : ['PX', String(forMs)];
    const texts = { double: text('double'), real: text('real') };
    this.#double.put(name, texts.double, forMs);
    await this.#real.command('SET', name, texts.real, ...ttl);
  }

  async #compareValues(): Promise<string | undefined> {
    const names = ['v:a', 'g', 'v:b', 't:x'].map((name) => this.#name(name));
    return this.#compare({
      real: await this.#real.driver.mget(names),
      double: this.#double.mget(names),
    });
  }

  async #call(
    script: RedisScript,
    names: readonly string[],
    args: readonly Own[],
  ): Promise<string | undefined> {
    return this.#compare(await this.#callBoth(script, names, args));
  }

  async #callBoth(
    script: RedisScript,
    names: readonly string[],
    args: readonly Own[],
  ): Promise<Record<Side, RedisReply>> {
    const keys = names.map((name) => this.#name(name));
    const argsOf = (side: Side): Buffer[] => args.map((arg) => Buffer.from(arg(side), 'latin1'));
    this.#last = `${scriptName(script)} ${names.join()} ${args.map((arg) => JSON.stringify(arg('double'))).join()}`;
    const double = this.#double.run(script, keys, argsOf('double'));
    return { real: await this.#real.driver.run(script, keys, argsOf('real')), double };
  }

  #compare(replies: Record<Side, RedisReply>): string | undefined {
    const [real, double] = SIDES.map((side) => this.#shapeOf(replies[side], side));
    if (real!.text !== double!.text) return `${real!.text} became ${double!.text}`;
    for (const [at, moment] of real!.moments.entries())
      this.#moments.push({ real: moment, double: double!.moments[at]! });
    return undefined;
  }

  /** What a reply looks like where times of now are only marked, and what these are. */
  #shapeOf(reply: RedisReply, side: Side): { text: string; moments: number[] } {
    const moments: number[] = [];
    const shapeOfTime = (digits: string): string => {
      const time = Number(digits);
      if (time < SHORTEST_TIME) return `<${time}>`;
      if (time < 1e15) return `<${Math.round((time - this.#startMs[side]) / (FAR_MS / 2))}>`;
      moments.push(time);
      return '<version>';
    };
    const shape = (part: RedisReply): string => {
      if (part === null) return 'null';
      if (Array.isArray(part)) return `[${part.map(shape).join()}]`;
      if (typeof part === 'number' && part < 1e15) return String(Math.round(part / (FAR_MS / 2)));
      const text = Buffer.isBuffer(part) ? part.toString('latin1') : String(part);
      if (text === this.#runId) return '<run>';
      return JSON.stringify(text.replaceAll(/\d{16}/g, shapeOfTime));
    };
    return { text: shape(reply), moments };
  }

  /** Versions and times rise on both sides together. */
  #compareMoments(): string | undefined {
    const byReal = this.#moments.toSorted((one, other) => one.real - other.real);
    for (const [at, { real, double }] of byReal.entries()) {
      const next = byReal[at + 1];
      if (next !== undefined && Math.sign(next.real - real) !== Math.sign(next.double - double))
        return `${real} and ${next.real} became ${double} and ${next.double}`;
    }
    return undefined;
  }

  async #compareKept(): Promise<string | undefined> {
    const names = (await this.#real.command('KEYS', `${this.#prefix}*`)) as string[];
    const real = names.toSorted();
    const double = this.#double.names().toSorted();
    if (real.join() !== double.join()) return `kept were ${real.join()}, became ${double.join()}`;
    for (const name of real) {
      const problem = await this.#compareName(name);
      if (problem !== undefined) return `${name}: ${problem}`;
    }
    return undefined;
  }

  async #compareName(name: string): Promise<string | undefined> {
    const [value] = await this.#real.driver.mget([name]);
    const ttl = (await this.#real.command('PTTL', name)) as number;
    return this.#compare({
      real: [value!, ttl],
      double: [this.#double.mget([name])[0]!, this.#double.ttlOf(name)],
    });
  }

  async #compareTold(heard: readonly string[], from: number): Promise<string | undefined> {
    const deadline = Date.now() + 10_000;
    while (heard.length - from < this.#told.length && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 1));
    this.#last = 'all';
    const shapeOf = (texts: readonly string[], side: Side): string =>
      this.#shapeOf(texts.map(bytesOf), side).text;
    const [real, double] = [shapeOf(heard.slice(from), 'real'), shapeOf(this.#told, 'double')];
    return real === double ? undefined : `${real} was told, became ${double}`;
  }

  async #clear(): Promise<void> {
    const names = (await this.#real.command('KEYS', `${this.#prefix}*`)) as string[];
    if (names.length > 0) await this.#real.command('DEL', ...names);
  }

  async #pass(): Promise<void> {
    await this.#clock.advance(PASS_MS);
    await new Promise((resolve) => setTimeout(resolve, PASS_MS));
  }

  /** The version of a value as each side has it. */
  async #versionOf(key: string): Promise<Own> {
    const text = await this.#textOf(`v:${key}`);
    return (side) => text(side).slice(0, DIGITS);
  }

  /** What each side has under a name; '' where it has nothing. */
  async #textOf(short: string): Promise<Own> {
    const name = this.#name(short);
    const [bytes] = await this.#real.driver.mget([name]);
    const texts = { real: bytes?.toString('latin1') ?? '', double: this.#double.text(name) ?? '' };
    return (side) => texts[side];
  }

  #someLease(key: string): GivenLease | undefined {
    const given = this.#leases.filter((lease) => lease.key === key);
    return this.#random.below(4) === 0 ? this.#random.pick(given) : given.at(-1);
  }

  #someTags(): string[] {
    return TAGS.filter(() => this.#random.below(3) === 0);
  }

  #namesOf(key: string, tags: readonly string[]): string[] {
    return [`v:${key}`, 'm', `l:${key}`, 'g', 'n', ...tags];
  }

  #toldOf(change: string): Own[] {
    return [own(CHANNEL), own(`source ${change}`)];
  }

  #name(name: string): string {
    return this.#prefix + name;
  }

  /** Of letters only, so that no digits stand beside those of a time. */
  #nonce(): string {
    const letters = String((this.#nonces += 1)).replaceAll(
      /\d/g,
      (digit) => 'abcdefghij'[Number(digit)]!,
    );
    return letters.padStart(NONCE_LENGTH, '-');
  }
}

function inDigits(number: number): string {
  return String(number).padStart(DIGITS, '0');
}

function own(value: string | number): Own {
  return () => String(value);
}

function bytesOf(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text, 'latin1');
}

function scriptName(script: RedisScript): string {
  const scripts = { COUNT, DELETE, EXTEND, INVALIDATE, LEASE, TIME, WRITE };
  return Object.entries(scripts).find(([, one]) => one === script)![0];
}
