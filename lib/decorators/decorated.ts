import type { Observable } from 'rxjs';
import { defineSlot } from '../binding/cache-slot.js';
import type { Method } from '../binding/cached-method.js';
import { nameOfMethod, type ClassLike } from '../binding/cacheable-methods.js';
import { returnsObservable } from '../binding/observable-method.js';
import { InvalidArgumentError } from '../errors.js';

/** The parameters of a method that a function of `Given` can be called with: more may follow. */
type AtLeast<Given extends unknown[]> = number extends Given['length']
  ? Given
  : [...Given, ...unknown[]];

/** The parameters of one of the functions in some options; none where there is no function. */
type ParametersIn<O, N extends string> =
  O extends Readonly<Record<N, infer F>> ? (F extends (...args: infer A) => unknown ? A : []) : [];

/** The parameters that functions of a method's arguments take, all of them. */
type OfArguments<O> = AtLeast<ParametersIn<O, 'key'>> &
  AtLeast<ParametersIn<O, 'tags'>> &
  AtLeast<ParametersIn<O, 'args'>> &
  AtLeast<ParametersIn<O, 'condition'>>;

/** The same of functions of a method's result and arguments. */
type OfResult<O> = AtLeast<ParametersIn<O, 'unless'>> & AtLeast<ParametersIn<O, 'resultTags'>>;

/** What a decorated method must be, or a sentence that the compiler shows. */
type Decoratable<M extends (...args: never) => unknown, O, Returned = Promise<unknown>> =
  ReturnType<M> extends Returned
    ? Parameters<M> extends OfArguments<O>
      ? [ResultOf<M>, ...Parameters<M>] extends OfResult<O>
        ? unknown
        : { readonly '@Cache': 'unless and resultTags must take the result, and the parameters' }
      : { readonly '@Cache': 'functions in the options must take the parameters of the method' }
    : { readonly '@Cache': 'the method must return a promise' };

/** What `unless` and `resultTags` get: what a promise resolves to, all values of a stream. */
type ResultOf<M extends (...args: never) => unknown> =
  ReturnType<M> extends Observable<infer V> ? V[] : Awaited<ReturnType<M>>;

/** The same for `@Cacheable`, which takes streams. */
type DecoratableStream<M extends (...args: never) => unknown, O> =
  ReturnType<M> extends Observable<unknown>
    ? Decoratable<M, O, Observable<unknown>>
    : Decoratable<M, O>;

/** What a method must be that each of some options suits. */
type DecoratableByAll<M extends (...args: never) => unknown, P> = P extends readonly [
  infer First,
  ...infer Rest,
]
  ? Decoratable<M, First> & DecoratableByAll<M, Rest>
  : unknown;

/** A decorator for methods that return a promise or a stream and that the functions in its options suit. */
export type CacheableDecorator<O> = <M extends (...args: never) => unknown>(
  prototype: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<M> & DecoratableStream<M, O>,
) => void;

/** A decorator for methods that return a promise and that the functions in all of some options suit. */
export type CacheMethodDecorators<C, P> = <M extends (...args: never) => unknown>(
  prototype: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<M> & DecoratableStream<M, C> & DecoratableByAll<M, P>,
) => void;

/** A decorator for methods that return a promise and that the functions in its options suit. */
export type CacheMethodDecorator<O> = <M extends (...args: never) => unknown>(
  prototype: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<M> & Decoratable<M, O>,
) => void;

/** Options of which the compiler refuses those that are not known. */
export type Exactly<O, Known> = O & { readonly [N in Exclude<keyof O, keyof Known>]: never };

/** The same of each of several options. */
export type ExactlyEach<P, Known> = P & { readonly [I in keyof P]: Exactly<P[I], Known> };

/** What a decorator is put on. */
export interface Decoration {
  readonly original: Method;
  readonly name: string | symbol;
  readonly declaredBy: ClassLike;
  /** Whether it is declared to return an Observable. */
  readonly isStream: boolean;
  /** Begins messages: the decorator and the method. */
  readonly subject: string;
}

/**
 * Makes a decorator that replaces a method of instances by another.
 *
 * @throws {InvalidArgumentError} at decoration, when it is put on anything but a method
 */
export function decorateMethod<O>(
  decorator: string,
  replace: (decoration: Decoration) => Method,
): CacheMethodDecorator<O> {
  return (prototype, name, descriptor) => {
    const original = methodAt(decorator, prototype, name, descriptor);
    const declaredBy = prototype.constructor as ClassLike;
    const subject = `${decorator} on ${declaredBy.name}.${nameOfMethod(name)}`;
    const isStream = returnsObservable(prototype, name);
    if (isStream && decorator !== '@Cacheable')
      throw new InvalidArgumentError(
        `${subject} needs a method that returns a promise: this one returns an Observable.`,
      );
    const replacement = replace({ original, name, declaredBy, isStream, subject });
    defineSlot(prototype);
    (descriptor as PropertyDescriptor).value = replacement;
  };
}

/** Returns the method that is decorated; what is no method of an instance is refused. */
function methodAt(
  decorator: string,
  target: object,
  name: unknown,
  descriptor?: PropertyDescriptor,
): Method {
  const refuse = (why: string): never => {
    throw new InvalidArgumentError(`${decorator} ${why}.`);
  };
  if (typeof name === 'object' && name !== null && 'kind' in name) {
    return refuse(
      'was called as a standard decorator. Compile with experimentalDecorators: Nest needs it',
    );
  }
  if (typeof name !== 'string' && typeof name !== 'symbol')
    return refuse('is for methods, not for classes');
  const where = nameOfMethod(name);
  if (typeof target === 'function')
    return refuse(`can not cache the static method ${where}: make it a method of a provider`);
  if (descriptor?.get !== undefined || descriptor?.set !== undefined)
    return refuse(`can not cache the accessor ${where}: make it a method that returns a promise`);
  if (typeof descriptor?.value !== 'function')
    return refuse(`can not cache the property ${where}: make it a method that returns a promise`);
  return descriptor.value as Method;
}
