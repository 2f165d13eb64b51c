import { InvalidArgumentError, show } from '../errors.js';

/** Deeper than this a structure is refused: it is more likely a mistake than an argument. */
const MAX_DEPTH = 64;

/** An array or object that is being written, and where it stands; the way up tells a cycle. */
interface Place {
  readonly container: object;
  readonly step: string | number;
  readonly parent: Place | undefined;
  readonly depth: number;
}

/**
 * Writes arguments as text that is equal exactly when the arguments are: same types, same values, in
 * any order of object keys. Holds primitives, arrays and plain objects. `1` and `'1'` differ, as do
 * `0` and `-0`, and as do `undefined`, `null` and a missing argument, property or array element.
 *
 * The text has no control characters and no lone surrogates. Every value begins with a character that
 * tells its kind, so kinds added later, such as `Date(…)`, collide with none of these.
 *
 * @throws {InvalidArgumentError} for what it can not hold: functions, symbols, class instances
 *   (Date, Map, Set and Buffer among them), cycles
 */
export function canonicalText(args: readonly unknown[]): string {
  const root: Place = { container: args, step: 0, parent: undefined, depth: 0 };
  let text = '';
  for (let index = 0; index < args.length; index += 1) {
    if (index > 0) text += ',';
    text += textOf(args[index], index, root);
  }
  return text;
}

/** Text that JSON writes as it is, between quotes: most strings, and quick to tell. */
const SIMPLE = /^[ !#-[\]-~]*$/;

/** Writes a string in quotes, its control characters and lone surrogates escaped. */
export function quote(text: string): string {
  if (SIMPLE.test(text)) return `"${text}"`;
  return JSON.stringify(text).replaceAll(/[\u007f-\u009f]/g, escapeControl);
}

function escapeControl(character: string): string {
  return `\\u00${character.charCodeAt(0).toString(16)}`;
}

function textOf(value: unknown, step: string | number, parent: Place): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return `${value}n`;
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      return textOfObject({ container: value, step, parent, depth: parent.depth + 1 });
    default:
      return refuse({ container: {}, step, parent, depth: 0 }, show(value));
  }
}

function textOfObject(place: Place): string {
  const { container } = place;
  refuseEndless(place);
  if (Array.isArray(container) && isPlainArray(container)) return textOfArray(container, place);
  if (isPlainObject(container)) return textOfPlainObject(container, place);
  if (Array.isArray(container)) return refuse(place, 'an array with more than its elements');
  return refuse(
    place,
    isOfNoClass(container) ? 'an object with symbols or hidden properties' : show(container),
  );
}

function textOfArray(array: readonly unknown[], place: Place): string {
  let text = '';
  for (let index = 0; index < array.length; index += 1) {
    if (index > 0) text += ',';
    text += index in array ? textOf(array[index], index, place) : 'empty';
  }
  return `[${text}]`;
}

function textOfPlainObject(object: Record<string, unknown>, place: Place): string {
  let text = '';
  for (const name of sorted(Object.keys(object))) {
    if (text !== '') text += ',';
    text += `${quote(name)}:${textOf(object[name], name, place)}`;
  }
  return `{${text}}`;
}

/** Sorts names that are seldom out of order: looking is quicker than sorting. */
function sorted(names: string[]): string[] {
  for (let index = 1; index < names.length; index += 1) {
    if (names[index - 1]! > names[index]!) return names.toSorted();
  }
  return names;
}

/** Whether an array is neither of a class of its own nor carries anything but elements and length. */
function isPlainArray(array: readonly unknown[]): boolean {
  const prototype: unknown = Object.getPrototypeOf(array);
  if (prototype !== Array.prototype && !isForeign(prototype, 'copyWithin')) return false;
  let elements = 0;
  for (let index = 0; index < array.length; index += 1) if (index in array) elements += 1;
  return Reflect.ownKeys(array).length === elements + 1;
}

/** Whether an object has nothing but enumerable properties named by strings. */
function isPlainObject(value: object): value is Record<string, unknown> {
  return isOfNoClass(value) && Reflect.ownKeys(value).length === Object.keys(value).length;
}

function isOfNoClass(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === null || prototype === Object.prototype || isForeign(prototype, 'isPrototypeOf')
  );
}

/** Whether a prototype is the built-in one that has this method, of another realm (Jest has one). */
function isForeign(prototype: unknown, method: string): boolean {
  if (typeof prototype !== 'object' || prototype === null) return false;
  return (
    Object.hasOwn(prototype, method) && String(prototype.constructor).includes('[native code]')
  );
}

function refuseEndless(place: Place): void {
  if (place.depth > MAX_DEPTH) refuse(place, `nested deeper than ${MAX_DEPTH} levels`);
  for (let above = place.parent; above !== undefined; above = above.parent) {
    if (above.container === place.container) refuse(place, 'a cycle');
  }
}

function refuse(place: Place, what: string): never {
  throw new InvalidArgumentError(`${pathOf(place)} is ${what}`);
}

function pathOf({ step, parent }: Place): string {
  if (parent === undefined) return '';
  if (parent.parent === undefined) return `argument ${Number(step) + 1}`;
  return pathOf(parent) + (typeof step === 'number' ? `[${step}]` : `.${step}`);
}
