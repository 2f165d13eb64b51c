import type { ResolvedHierarchyOptions } from './hierarchy-options.js';

/** Options that are legal and do not go together. */
export interface AdviceRule {
  /** The code of its report: whoever means what is advised against can leave that report out. */
  readonly code: string;
  /** When the advice is given, in the words of the table in docs/advice.md. */
  readonly when: string;
  /**
   * Whether the options are such. Only the resolved values are known, so none that may be a default
   * speaks for itself.
   */
  readonly applies: (options: ResolvedHierarchyOptions) => boolean;
  /** Returns what was got, what comes of it and what to write instead. */
  readonly advice: (options: ResolvedHierarchyOptions) => string;
}
