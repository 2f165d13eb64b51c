/** Work that can be called off, and that may have to hear that it can be done without. */
export class Abortable {
  #controller: AbortController | undefined;
  #abortReason: { readonly reason: unknown } | undefined;
  readonly #whenDetached: (() => void)[] = [];
  #isDetached = false;

  /** Made when it is asked for: most work never looks. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason.reason);
    return this.#controller.signal;
  }

  /** Whether the signal is aborted; does not make one. */
  get aborted(): boolean {
    return this.#abortReason !== undefined;
  }

  /** Throws the reason once the signal is aborted. */
  throwIfAborted(): void {
    if (this.#abortReason !== undefined) throw this.signal.reason;
  }

  /** Calls `run` when nobody needs this any more, whether or not it goes on. */
  onDetached(run: () => void): void {
    if (this.#isDetached) run();
    else this.#whenDetached.push(run);
  }

  /** Notes that it can be done without; it goes on. */
  detach(): void {
    this.#isDetached = true;
    for (const run of this.#whenDetached.splice(0)) run();
  }

  /** Aborts the signal: nobody needs this, and it should end. */
  abort(reason: unknown): void {
    this.#abortReason = { reason };
    this.detach();
    this.#controller?.abort(reason);
  }
}
