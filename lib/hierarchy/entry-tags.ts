import { InvalidArgumentError, show } from '../errors.js';
import { keyProblem } from '../memory/cache-key.js';

const MAX_TAGS = 32;
const MAX_TAG_LENGTH = 256;

/**
 * Checks the tags of one entry, adding them to those it has.
 *
 * @throws {InvalidArgumentError} for a bad tag, or more than 32
 */
export function entryTags(
  tags: string | readonly string[],
  others: readonly string[] = [],
): readonly string[] | undefined {
  const all = [...new Set([...others, ...readTags(tags)])];
  if (all.length > MAX_TAGS) {
    throw new InvalidArgumentError(`An entry has at most ${MAX_TAGS} tags, got ${all.length}.`);
  }
  return all.length === 0 ? undefined : all;
}

/**
 * Checks tags and returns them as a list.
 *
 * @throws {InvalidArgumentError} when one is empty, too long, not well-formed or has control characters
 */
export function readTags(tags: string | readonly string[]): readonly string[] {
  const list = typeof tags === 'string' ? [tags] : tags;
  if (!Array.isArray(list)) {
    throw new InvalidArgumentError(
      `tags must be a string or an array of strings, got ${show(tags)}.`,
    );
  }
  for (const tag of list) {
    const problem = keyProblem(tag, MAX_TAG_LENGTH);
    if (problem !== undefined)
      throw new InvalidArgumentError(`A tag ${problem}; got ${show(tag)}.`);
  }
  return list;
}
