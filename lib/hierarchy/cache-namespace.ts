import { InvalidArgumentError, show } from '../errors.js';
import { isName, NAME_FORM, NAMESPACE_SEPARATOR } from '../memory/cache-key.js';
import { CacheView } from './cache-view.js';
import type { HierarchyCore } from './hierarchy-core.js';

const MAX_DEPTH = 4;

/**
 * The keys of a cache under a name of their own: equal keys of two namespaces are different
 * entries, and each can be cleared in one step. Tags reach across namespaces.
 */
export class CacheNamespace extends CacheView {
  readonly #core: HierarchyCore;
  /** The names from the outermost to this one. */
  readonly path: readonly string[];

  /** @internal */
  constructor(core: HierarchyCore, parents: readonly string[], name: string) {
    const path = [...parents, checkName(name)];
    if (path.length > MAX_DEPTH) {
      throw new InvalidArgumentError(
        `Namespaces nest at most ${MAX_DEPTH} deep, got ${path.join(' > ')}.`,
      );
    }
    super(core, path.map((part) => part + NAMESPACE_SEPARATOR).join(''));
    this.#core = core;
    this.path = path;
  }

  /**
   * Returns the namespace of this name inside this one.
   *
   * @throws {InvalidArgumentError} for a bad name, or deeper than four
   */
  namespace(name: string): CacheNamespace {
    return new CacheNamespace(this.#core, this.path, name);
  }
}

function checkName(name: string): string {
  if (isName(name)) return name;
  throw new InvalidArgumentError(`A namespace's name must be ${NAME_FORM}, got ${show(name)}.`);
}
