/** What runs when a signal is aborted; one listener on the signal however many callers share it. */
const runsOf = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `run` when the signal is aborted; returns a function that forgets it. A request's signal is
 * shared by all loads of the request, and Node warns of a leak at the eleventh listener.
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  const runs = runsOf.get(signal) ?? listen(signal);
  runs.add(run);
  return () => {
    runs.delete(run);
  };
}

function listen(signal: AbortSignal): Set<() => void> {
  const runs = new Set<() => void>();
  runsOf.set(signal, runs);
  const runAll = (): void => {
    for (const run of runs) run();
    runs.clear();
  };
  signal.addEventListener('abort', runAll, { once: true });
  return runs;
}
