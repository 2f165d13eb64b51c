/** What a caller is told: nothing yet, a value, or the name of an error. */
export class Reply {
  outcome: { readonly value: unknown } | { readonly error: string } | undefined;
  readonly #settled: () => void;

  constructor(settled = (): void => {}) {
    this.#settled = settled;
  }

  return(value: unknown): void {
    this.outcome = { value };
    this.#settled();
  }

  throw(error: string): void {
    this.outcome = { error };
    this.#settled();
  }

  /** Tells what a call comes to. */
  follow(call: Promise<unknown>): void {
    call.then(
      (value) => this.return(value),
      (error: Error) => this.throw(nameOf(error)),
    );
  }
}

/** The names of errors of the library, and the messages of others. */
export function nameOf({ name, message }: Error): string {
  return name === 'Error' ? message : name;
}

/**
 * Replies for several keys, of which the last that settles has `whole` settled: with what was found, or
 * the first error.
 */
export function partsOf(whole: Reply, names: readonly string[]): Reply[] {
  const settle = (): void => {
    const outcomes = parts.map(({ outcome }) => outcome);
    if (outcomes.includes(undefined)) return;
    const found = new Map<string, unknown>();
    for (const [at, outcome] of outcomes.entries()) {
      if ('error' in outcome!) {
        whole.throw(outcome.error);
        return;
      }
      if (outcome!.value !== undefined) found.set(names[at]!, outcome!.value);
    }
    whole.return(found);
  };
  const parts = names.map(() => new Reply(settle));
  if (names.length === 0) whole.return(new Map());
  return parts;
}

/** An outcome, or anything else, as it is compared and shown. */
export function show(outcome: object | undefined): string {
  return JSON.stringify(outcome, (_, value: unknown) => {
    if (value === undefined) return 'undefined';
    return value instanceof Map ? [...value] : value;
  });
}
