import { isObservable, Observable, Subscription, takeWhile, type Subscriber } from 'rxjs';
import { InvalidArgumentError } from '../errors.js';
import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import type { LoadOptions } from '../hierarchy/call-options.js';
import type { LoadContext } from '../hierarchy/loader-context.js';
import { copyFace, type Method } from './cached-method.js';
import { nameOfMethod, type CacheableMethod } from './cacheable-methods.js';
import { CallTargets } from './call-targets.js';
import { plannedKey } from './method-key.js';

/** A stream of more values is passed on and not stored. */
export const MAX_STREAM_VALUES = 1_000;

/** Whether a method is declared to return an Observable, as far as the compiler left a note of that. */
export function returnsObservable(prototype: object, name: string | symbol): boolean {
  const type: unknown = Reflect.getMetadata('design:returntype', prototype, name);
  return typeof type === 'function' && isObservable(type.prototype);
}

/**
 * Returns a method whose streams are answered from the cache. Nothing happens before one is subscribed
 * to. Then its stored values are replayed, or the original's stream is run, once for all who subscribe
 * meanwhile, and its values are stored when it completes. Who had it run gets its values as they come,
 * the others when it completes.
 */
export function observableMethod(original: Method, method: CacheableMethod): Method {
  const targets = new CallTargets(method);
  const observed: Method = function (this: unknown, ...args) {
    return new Observable((subscriber) => {
      const run = (): Observable<unknown> => streamOf(original.apply(this, args), method);
      const call = callOf(this, { method, targets }, args);
      if (call === undefined) return run().subscribe(subscriber);
      return new StreamReader(subscriber, run).read(call, method, args);
    });
  };
  copyFace(original, observed);
  return observed;
}

interface Call {
  readonly cache: CacheHierarchy;
  readonly key: string;
  readonly options: LoadOptions;
}

function callOf(
  host: unknown,
  { method, targets }: { readonly method: CacheableMethod; readonly targets: CallTargets },
  args: unknown[],
): Call | undefined {
  const target = targets.of(host);
  if (target === undefined || method.condition?.(...args) === false) return undefined;
  if (method.key === undefined) target.claimName();
  const { cache, plan } = target;
  return { cache, key: plannedKey(method, plan, args), options: plan.options };
}

function streamOf(result: unknown, { name, declaredBy }: CacheableMethod): Observable<unknown> {
  if (isObservable(result)) return result;
  throw new InvalidArgumentError(
    `${declaredBy.name}.${nameOfMethod(name)} is declared to return an Observable and did not return one.`,
  );
}

/**
 * One subscription to a cached stream. Its subscriber is answered either by what the cache returns, or
 * by the run that this subscription started, as soon as that has brought a value: never by both.
 */
class StreamReader {
  readonly #leaving = new AbortController();
  /** The run that this subscription started, if it did. */
  readonly #run = new Subscription();
  #isLive = false;
  #isComplete = false;
  #isOverlong = false;
  /** Whether the subscriber is handed a value of the run right now. */
  #isHanding = false;
  /** Whether it unsubscribed in the meantime. */
  #hasLeft = false;
  /** Whether the cache has answered. */
  #isSettled = false;

  constructor(
    private readonly subscriber: Subscriber<unknown>,
    private readonly source: () => Observable<unknown>,
  ) {}

  /** Begins to read; returns what unsubscribing does. */
  read({ cache, key, options }: Call, method: CacheableMethod, args: unknown[]): () => void {
    const { tagsOf, unless, resultTagsOf } = method;
    const load = async (context: LoadContext): Promise<unknown[]> => {
      if (tagsOf !== undefined) context.tags(tagsOf(...args));
      const values = await this.#collect(context);
      if (values.length > MAX_STREAM_VALUES || unless?.(values, ...args) === true) context.skip();
      else if (resultTagsOf !== undefined) context.tags(resultTagsOf(values, ...args));
      return values;
    };
    const { signal } = this.#leaving;
    cache.getOrSet(key, load, { ...options, signal }).then(
      (values) => this.#answer(values),
      (error: unknown) => this.subscriber.error(error),
    );
    return () => {
      // Who wants the first value only leaves when it gets that, and most streams of one value end right then.
      if (this.#isHanding) queueMicrotask(() => this.#leave());
      else this.#leave();
      this.#hasLeft = true;
      if (this.#isOverlong) this.#run.unsubscribe();
    };
  }

  /** Has the cache stop waiting for the run, and stop the run if nobody waits for it. */
  #leave(): void {
    if (!this.#isComplete) this.#leaving.abort();
  }

  #hand(value: unknown): void {
    this.#isHanding = true;
    this.subscriber.next(value);
    this.#isHanding = false;
  }

  /** Runs the source; resolves when it completes, or has brought one value too many. */
  #collect({ signal }: LoadContext): Promise<unknown[]> {
    const values: unknown[] = [];
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#run.unsubscribe();
        reject(signal.reason);
        if (this.#isLive) this.subscriber.error(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
      const settled = (): void => signal.removeEventListener('abort', abort);
      const next = (value: unknown): void => {
        if (this.#hasLeft) this.#leave();
        if (this.#run.closed) return;
        this.#isLive ||= !this.#isSettled && !this.subscriber.closed;
        if (values.length <= MAX_STREAM_VALUES) values.push(value);
        if (values.length > MAX_STREAM_VALUES && !this.#isOverlong) {
          this.#isOverlong = true;
          settled();
          resolve(values);
        }
        if (this.#isLive) this.#hand(value);
        if (this.#isOverlong && this.subscriber.closed) this.#run.unsubscribe();
      };
      const error = (reason: unknown): void => {
        settled();
        reject(reason);
        if (this.#isLive) this.subscriber.error(reason);
      };
      const complete = (): void => {
        this.#isComplete = true;
        settled();
        resolve(values);
        if (this.#isLive && this.#isSettled) this.subscriber.complete();
      };
      // A source that brings its values at once is left by the next one.
      const source = this.source().pipe(takeWhile(() => !this.#run.closed));
      this.#run.add(source.subscribe({ next, error, complete }));
    });
  }

  #answer(values: unknown[]): void {
    this.#isSettled = true;
    const { subscriber } = this;
    if (this.#isLive) {
      if (this.#isComplete) subscriber.complete();
      return;
    }
    if (values.length > MAX_STREAM_VALUES) {
      subscriber.add(this.source().subscribe(subscriber));
      return;
    }
    for (const value of values) {
      if (subscriber.closed) return;
      subscriber.next(value);
    }
    subscriber.complete();
  }
}
