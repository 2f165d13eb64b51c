import { Buffer } from 'node:buffer';
import { isDeepStrictEqual, types } from 'node:util';

/** A built-in class whose objects are told by what they hold. */
export type BuiltIn = 'Date' | 'Map' | 'Set' | 'Buffer' | 'ArrayBuffer' | TypedArrayName;
type TypedArrayName = NodeJS.TypedArray[typeof Symbol.toStringTag];

/** Whether an array is neither of a class of its own nor carries anything but elements and length. */
export function isPlainArray(array: readonly unknown[]): boolean {
  if (!isPrototypeOfClass(Object.getPrototypeOf(array), 'Array')) return false;
  let elements = 0;
  for (let index = 0; index < array.length; index += 1) if (index in array) elements += 1;
  return Reflect.ownKeys(array).length === elements + 1;
}

/** Returns the names of an object's properties if it has no others than enumerable ones named by strings. */
export function namesOfPlainObject(value: object): string[] | undefined {
  if (!isOfNoClass(value)) return undefined;
  const names = Object.keys(value);
  // To ask for names and for symbols takes half the time of Reflect.ownKeys.
  if (Object.getOwnPropertyNames(value).length !== names.length) return undefined;
  return Object.getOwnPropertySymbols(value).length === 0 ? names : undefined;
}

/** That of nearly all objects, quicker to get at than what is global now. */
const ObjectPrototype = Object.prototype;

export function isOfNoClass(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === ObjectPrototype) return true;
  return prototype === null || isPrototypeOfClass(prototype, 'Object');
}

/** Returns which built-in class an object is of, in whichever realm; `undefined` for a subclass. */
export function builtInOf(value: object): BuiltIn | undefined {
  const name = nameOfInsides(value);
  if (name === undefined) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (name === 'Uint8Array' && prototype === Buffer.prototype) return 'Buffer';
  return isPrototypeOfClass(prototype, name) ? name : undefined;
}

/**
 * Whether an object of a built-in class has properties beside what it holds. Hidden ones do not count:
 * the dates of fake timers have one.
 */
export function hasProperties(value: object): boolean {
  // The bytes of a typed array are properties as well. To list them is slow, to compare them is not.
  if (types.isTypedArray(value)) return !isDeepStrictEqual(value, value.subarray());
  return Reflect.ownKeys(value).some((name) =>
    Object.prototype.propertyIsEnumerable.call(value, name),
  );
}

/** Tells an object by what is inside, which no prototype or property can pretend. */
function nameOfInsides(value: object): Exclude<BuiltIn, 'Buffer'> | undefined {
  if (types.isDate(value)) return 'Date';
  if (types.isMap(value)) return 'Map';
  if (types.isSet(value)) return 'Set';
  if (types.isTypedArray(value)) return value[Symbol.toStringTag];
  return types.isArrayBuffer(value) ? 'ArrayBuffer' : undefined;
}

/**
 * Whether a prototype is that of a built-in class: of the one that has the name here and now, which
 * is another `Date` under fake timers, or of the one of any realm (Jest has a realm of its own).
 */
function isPrototypeOfClass(prototype: unknown, name: string): boolean {
  const here = (globalThis as Record<string, { prototype?: unknown } | undefined>)[name];
  if (prototype === here?.prototype) return true;
  const type = (prototype as { constructor?: unknown } | null)?.constructor;
  return typeof type === 'function' && type.prototype === prototype && isNative(type, name);
}

/** No source text of a function reads so: what is in the braces has no syntax. */
function isNative(type: { readonly name: string }, name: string): boolean {
  // The name is compared first because it is quick to tell most classes by.
  if (type.name !== name) return false;
  return Function.prototype.toString.call(type) === `function ${name}() { [native code] }`;
}
