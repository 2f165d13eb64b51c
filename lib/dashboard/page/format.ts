/** The page speaks English, so its numbers do. */
const LOCALE = 'en';

const NBSP = '\u00a0';
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Shown where a figure cannot be told. */
export const NOTHING = '–';

const count = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumFractionDigits: 1 });
const short = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 3 });
// Cut, not rounded: 99.99 % of hits must not read as all of them.
const percent = percentFormat(1);
const finePercent = percentFormat(2);
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'always' });
const clock = timeFormat({ second: '2-digit' });
const clockMinutes = timeFormat({});
const dateAndTime = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'medium' });

/** `1,234` */
export function formatCount(value: number): string {
  return count.format(value);
}

/** `1.2K`, for where there is little room. */
export function formatCompact(value: number): string {
  return value < 1_000 ? short.format(value) : compact.format(value);
}

/** `1,234` or `0.4`: what happens in a second, on average. */
export function formatRate(value: number): string {
  return value < 10 ? short.format(Math.round(value * 10) / 10) : count.format(value);
}

/** `93.1%`; `<0.1%` for a little that is not nothing. */
export function formatPercent(ratio: number | undefined): string {
  if (ratio === undefined) return NOTHING;
  if (ratio > 0 && ratio < 0.001) return '<0.1%';
  return (ratio > 0.99 && ratio < 1 ? finePercent : percent).format(ratio);
}

/** `0.35 ms`, `12 ms`, `1.2 s`, `3 min 12 s`, `5 h 3 min`, `12 d 4 h`. */
export function formatMs(ms: number | undefined): string {
  if (ms === undefined) return NOTHING;
  if (ms < 0) return `−${formatMs(-ms)}`;
  if (ms < 999.5) return `${short.format(ms)}${NBSP}ms`;
  if (ms < 59.95 * SECOND) return `${short.format(ms / SECOND)}${NBSP}s`;
  if (ms < HOUR) return inTwo(ms, [MINUTE, 'min'], [SECOND, 's']);
  if (ms < 2 * DAY) return inTwo(ms, [HOUR, 'h'], [MINUTE, 'min']);
  return inTwo(ms, [DAY, 'd'], [HOUR, 'h']);
}

/** `512 B`, `1.5 MiB` */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${short.format(bytes / 1_024 ** power)}${NBSP}${units[power]}`;
}

/** `3 minutes ago`; what lies ahead by a clock that goes ahead happened just now. */
export function formatAgo(at: number, now: number): string {
  const ms = Math.max(0, now - at);
  if (ms < 5 * SECOND) return 'just now';
  if (ms < MINUTE) return relative.format(-Math.floor(ms / SECOND), 'second');
  if (ms < HOUR) return relative.format(-Math.floor(ms / MINUTE), 'minute');
  if (ms < DAY) return relative.format(-Math.floor(ms / HOUR), 'hour');
  return relative.format(-Math.floor(ms / DAY), 'day');
}

/** `14:03:27`, in the reader's time zone. */
export function formatClock(at: number): string {
  return clock.format(at);
}

/** `14:03` */
export function formatClockMinutes(at: number): string {
  return clockMinutes.format(at);
}

/** `Nov 30, 2026, 2:03:27 PM` */
export function formatDateAndTime(at: number): string {
  return dateAndTime.format(at);
}

/** `1 key`, `2,000 keys` */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${formatCount(value)} ${value === 1 ? one : many}`;
}

/** Cuts a long text in its middle, where keys differ least. */
export function cutText(text: string, maxLength = 120): string {
  const characters = Array.from(text);
  if (characters.length <= maxLength) return text;
  const tail = Math.floor(maxLength / 3);
  return `${characters.slice(0, maxLength - tail - 1).join('')}…${characters.slice(-tail).join('')}`;
}

type Unit = readonly [ms: number, name: string];

function inTwo(ms: number, [large, largeName]: Unit, [small, smallName]: Unit): string {
  const smalls = Math.round(ms / small);
  const perLarge = large / small;
  const rest = smalls % perLarge;
  const whole = `${count.format(Math.floor(smalls / perLarge))}${NBSP}${largeName}`;
  return rest === 0 ? whole : `${whole} ${rest}${NBSP}${smallName}`;
}

function percentFormat(digits: number): Intl.NumberFormat {
  return new Intl.NumberFormat(LOCALE, {
    style: 'percent',
    maximumFractionDigits: digits,
    roundingMode: 'trunc',
  });
}

function timeFormat(more: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const hourAndMinute = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  return new Intl.DateTimeFormat(LOCALE, { ...hourAndMinute, ...more });
}
