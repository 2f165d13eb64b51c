import type { LevelName } from '../levels/cache-level.js';
import type { CacheHierarchy } from './cache-hierarchy.js';
import type { Reply } from './level-calls.js';

/** A call that leaves the cache: of a loader, or of a level outside the process. */
export interface TracedCall {
  readonly cache: CacheHierarchy;
  /** `load`, or what the level is asked for. */
  readonly operation: string;
  /** The level that is called. */
  readonly level?: LevelName;
  /** What is loaded: keys with their namespaces. */
  readonly keys?: readonly string[];
}

/** Makes something of calls, as a port: the core knows of no tracing system. */
export interface CallTracer {
  /** Whether it traces the calls of a cache. */
  traces(cache: CacheHierarchy): boolean;
  /**
   * Calls `run` once, at once, and returns what it returns.
   *
   * @param errorOf tells why a call that has answered has failed all the same
   */
  trace<R>(
    call: TracedCall,
    run: () => Promise<R>,
    errorOf: (result: R) => Error | undefined,
  ): Promise<R>;
}

const tracers = new Set<CallTracer>();

/** Has calls of caches traced from now on, until the function that it returns is called. */
export function traceCalls(tracer: CallTracer): () => void {
  tracers.add(tracer);
  return () => void tracers.delete(tracer);
}

/** The calls of one cache. Where nobody traces them it costs a look. */
export class CallTracing {
  readonly #hierarchy: () => CacheHierarchy;

  constructor(hierarchy: () => CacheHierarchy) {
    this.#hierarchy = hierarchy;
  }

  /** Calls a loader. */
  load<R>(loads: readonly { readonly key: string }[], run: () => Promise<R>): Promise<R> {
    const tracer = this.#tracer();
    if (tracer === undefined) return run();
    const keys = loads.map(({ key }) => key);
    return tracer.trace(
      { cache: this.#hierarchy(), operation: 'load', keys },
      run,
      () => undefined,
    );
  }

  /** Calls a level. */
  call<A>(level: LevelName, operation: string, run: () => Promise<Reply<A>>): Promise<Reply<A>> {
    const tracer = this.#tracer();
    if (tracer === undefined) return run();
    return tracer.trace({ cache: this.#hierarchy(), operation, level }, run, failureOf);
  }

  #tracer(): CallTracer | undefined {
    if (tracers.size === 0) return undefined;
    const cache = this.#hierarchy();
    return [...tracers].find((tracer) => tracer.traces(cache));
  }
}

function failureOf(reply: Reply<unknown>): Error | undefined {
  if (reply.state === 'answered') return undefined;
  const { cause } = reply;
  return cause instanceof Error ? cause : new Error('the level did not answer');
}
