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
   * Calls `run` once, at once. Where it fails itself the call goes on all the same.
   *
   * @param run settles with the type of the error where the call has failed, and never rejects
   */
  trace(call: TracedCall, run: () => Promise<string | undefined>): Promise<void>;
  /** Hears what it has thrown; it must not throw. */
  failed(error: unknown): void;
}

const tracers = new Set<CallTracer>();

/** Has calls of caches traced from now on, until the function that it returns is called. */
export function traceCalls(tracer: CallTracer): () => void {
  tracers.add(tracer);
  return () => void tracers.delete(tracer);
}

/**
 * The calls of one cache. Where nobody traces them it costs a look. What becomes of a call does not depend on
 * who traces it.
 */
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
    const call = { cache: this.#hierarchy(), operation: 'load', keys };
    return traced(tracer, call, run, () => undefined);
  }

  /** Calls a level. */
  call<A>(level: LevelName, operation: string, run: () => Promise<Reply<A>>): Promise<Reply<A>> {
    const tracer = this.#tracer();
    if (tracer === undefined) return run();
    return traced(tracer, { cache: this.#hierarchy(), operation, level }, run, failureOf);
  }

  #tracer(): CallTracer | undefined {
    if (tracers.size === 0) return undefined;
    const cache = this.#hierarchy();
    return [...tracers].find((tracer) => {
      try {
        return tracer.traces(cache);
      } catch (error) {
        tracer.failed(error);
        return false;
      }
    });
  }
}

function traced<R>(
  tracer: CallTracer,
  call: TracedCall,
  run: () => Promise<R>,
  errorTypeOf: (result: R) => string | undefined,
): Promise<R> {
  let outcome: Promise<R> | undefined;
  const observe = async (): Promise<void> => {
    try {
      await tracer.trace(call, () => typeOfError((outcome ??= run()), errorTypeOf));
    } catch (error) {
      tracer.failed(error);
    }
  };
  void observe();
  return outcome ?? run();
}

async function typeOfError<R>(
  outcome: Promise<R>,
  errorTypeOf: (result: R) => string | undefined,
): Promise<string | undefined> {
  try {
    return errorTypeOf(await outcome);
  } catch (error) {
    return classOf(error);
  }
}

function failureOf(reply: Reply<unknown>): string | undefined {
  if (reply.state === 'answered') return undefined;
  if (reply.state === 'failed') return classOf(reply.cause);
  // Without a cause it was given up since the cache was closed.
  return reply.cause === undefined ? 'closed' : 'timeout';
}

/** What an error says, its `name` included, may hold keys and values: its class does not. */
function classOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return error.constructor.name || 'Error';
}
