import type { LevelChange } from '../levels/change-feed.js';

/** Between the parts of a message; no key, tag or name can hold it. */
const SEPARATOR = '\u001e';

/** What a script tells of a change. */
export interface ChangeMessage {
  /** The process that has made it. */
  readonly source: string;
  readonly bucket: number;
  readonly epoch: string;
  /** How many changes of the bucket were told of in this epoch, this one included. */
  readonly count: number;
  readonly change: LevelChange;
}

export function ofKey(key: string): string {
  return `k${SEPARATOR}${key}`;
}

export function ofTags(tags: readonly string[]): string {
  return ['t', ...tags].join(SEPARATOR);
}

export function ofClear(prefix: string): string {
  return `c${SEPARATOR}${prefix}`;
}

/** A message without what the script puts before it: epoch and count. */
export function toldBy(source: string, bucket: number, change: string): string {
  return `${source}${SEPARATOR}${bucket}${SEPARATOR}${change}`;
}

/** Reads a message; `undefined` for anything that no script of this package has sent. */
export function readMessage(message: string): ChangeMessage | undefined {
  const [epoch, count, source, bucket, kind, ...names] = message.split(SEPARATOR);
  const change = changeOf(kind, names);
  if (epoch === undefined || source === undefined || change === undefined) return undefined;
  if (!isCount(count) || !isCount(bucket)) return undefined;
  return { source, bucket: Number(bucket), epoch, count: Number(count), change };
}

function changeOf(kind: string | undefined, names: readonly string[]): LevelChange | undefined {
  const [name] = names;
  if (name === undefined) return undefined;
  if (kind === 'k') return { kind: 'key', key: name };
  if (kind === 't') return { kind: 'tags', tags: names };
  return kind === 'c' ? { kind: 'clear', prefix: name } : undefined;
}

function isCount(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,16}$/.test(text);
}
