import { createHash } from 'node:crypto';
import { inspect } from 'node:util';

const MAX_LABEL_LENGTH = 200;
const MAX_VALUE_LENGTH = 2_000;
const HASH_DIGITS = 12;

/** Returns the label of a key: the key with its namespaces, cut, or what does not show them. */
export function labelOf(namespace: readonly string[], key: string, reveal: boolean): string {
  const text = pathOf(namespace, key);
  if (reveal) return cutLabel(text);
  const digest = createHash('sha256').update(text).digest('hex');
  return `sha256:${digest.slice(0, HASH_DIGITS)}`;
}

/** A key behind its namespaces, the outermost first. */
export function pathOf(namespace: readonly string[], key: string): string {
  return namespace.length === 0 ? key : [...namespace, key].join(' > ');
}

/** Cuts what is shown to 200 characters. */
export function cutLabel(text: string): string {
  return cut(text, MAX_LABEL_LENGTH);
}

/** Shows a value in at most 2,000 characters. Nothing of it is called, no getter, method or trap, but what gives its `Symbol.toStringTag`. */
export function textOfValue(value: unknown): string {
  try {
    const text = inspect(value, {
      customInspect: false,
      getters: false,
      depth: 5,
      maxArrayLength: 100,
      maxStringLength: MAX_VALUE_LENGTH,
    });
    return cut(text, MAX_VALUE_LENGTH);
  } catch {
    return '(can not be shown)';
  }
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
