import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { InvalidArgumentError, show } from '../errors.js';
import { AFTER_STRING, BEFORE_STRING, shapeOf, sorted } from './object-shape.js';
import {
  builtInOf,
  hasProperties,
  isOfNoClass,
  isPlainArray,
  namesOfPlainObject,
} from './plain-values.js';
import { isSimple, quote } from './quoted-text.js';

/** Deeper than this a structure is refused: it is more likely a mistake than an argument. */
const MAX_DEPTH = 64;

/** An array, object, Map or Set that is being written, and where it stands; the way up tells a cycle. */
interface Place {
  readonly container: object;
  readonly step: string | number;
  readonly parent: Place | undefined;
  readonly depth: number;
}

/** What the arguments stand in. */
const ARGUMENTS: Place = { container: {}, step: 0, parent: undefined, depth: 0 };

/**
 * Writes arguments as text that is equal exactly when the arguments are: same types, same values, in
 * any order of object keys, Map entries and Set elements. Holds primitives, arrays, plain objects,
 * Date, Map, Set, Buffer, ArrayBuffer and typed arrays. `1` and `'1'` differ, as do `0` and `-0`, and
 * as do `undefined`, `null` and a missing argument, property or array element.
 *
 * The text has no control characters and no lone surrogates. Every value begins with what tells its
 * kind and ends where no other text of that kind goes on, so that no two lists run into one text.
 *
 * @throws {InvalidArgumentError} for what it can not hold: functions, symbols, instances of other
 *   classes and of subclasses, objects that carry more than their kind holds, cycles
 */
export function canonicalText(args: readonly unknown[]): string {
  let text = '';
  for (let index = 0; index < args.length; index += 1) {
    if (index > 0) text += ',';
    text = withValue(text, args[index], index, ARGUMENTS);
  }
  return text;
}

/*
 * Each of these returns the text up to here with one value behind it. Piece upon piece, V8 keeps that as a
 * chain, which it reads in half the time that it needs for the tree of a text made of texts.
 */

function withValue(text: string, value: unknown, step: string | number, parent: Place): string {
  switch (typeof value) {
    case 'string':
      return text + quote(value);
    case 'number':
      return text + textOfNumber(value);
    case 'bigint':
      return `${text}${value}n`;
    case 'boolean':
    case 'undefined':
      return text + String(value);
    case 'object':
      if (value === null) return `${text}null`;
      return withObject(text, { container: value, step, parent, depth: parent.depth + 1 });
    default:
      return refuse({ container: {}, step, parent, depth: 0 }, show(value));
  }
}

function withObject(text: string, place: Place): string {
  const { container } = place;
  refuseEndless(place);
  if (Array.isArray(container)) {
    if (isPlainArray(container)) return withArray(text, container, place);
    return refuse(place, 'an array with more than its elements');
  }
  const names = namesOfPlainObject(container);
  if (names !== undefined)
    return withProperties(text, container as Record<string, unknown>, names, place);
  if (isOfNoClass(container)) return refuse(place, 'an object with symbols or hidden properties');
  return text + textOfBuiltIn(container, place);
}

function withArray(before: string, array: readonly unknown[], place: Place): string {
  let text = `${before}[`;
  for (let index = 0; index < array.length; index += 1) {
    if (index > 0) text += ',';
    text = index in array ? withValue(text, array[index], index, place) : `${text}empty`;
  }
  return `${text}]`;
}

function withProperties(
  before: string,
  object: Record<string, unknown>,
  names: string[],
  place: Place,
): string {
  if (names.length === 0) return `${before}{}`;
  const { sortedNames, openings } = shapeOf(names);
  let text = before;
  // The quotes of a string are in the pieces around it: fewer pieces are quicker to read.
  let after = 0;
  for (let index = 0; index < sortedNames.length; index += 1) {
    const name = sortedNames[index]!;
    const value = object[name];
    if (typeof value === 'string' && isSimple(value)) {
      text = text + openings[after + BEFORE_STRING]![index]! + value;
      after = AFTER_STRING;
    } else {
      text += openings[after]![index]!;
      after = 0;
      if (typeof value === 'number') text += textOfNumber(value);
      else text = withValue(text, value, name, place);
    }
  }
  return text + (after === 0 ? '}' : '"}');
}

/** Writes a number so that no two that differ are alike. */
export function textOfNumber(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function textOfBuiltIn(object: object, place: Place): string {
  const name = builtInOf(object);
  if (name === undefined) return refuse(place, show(object));
  if (hasProperties(object)) return refuse(place, `${show(object)} with properties of its own`);
  if (types.isDate(object)) return `Date(${textOfTime(object)})`;
  if (types.isMap(object)) return `Map{${textOfMap(object, place)}}`;
  if (types.isSet(object)) return `Set{${textOfSet(object, place)}}`;
  return `${name}(${bytesOf(object as ArrayBuffer | NodeJS.TypedArray).toString('hex')})`;
}

function textOfTime(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'invalid' : date.toISOString();
}

/** Two keys of a Map may have one text, as objects do. Entries are sorted whole, so that is no matter. */
function textOfMap(map: ReadonlyMap<unknown, unknown>, place: Place): string {
  const entries: string[] = [];
  for (const [key, value] of map) {
    const at = `[${entries.length}]`;
    entries.push(
      `${withValue('', key, `keys()${at}`, place)}:${withValue('', value, `values()${at}`, place)}`,
    );
  }
  return sorted(entries).join(',');
}

function textOfSet(set: ReadonlySet<unknown>, place: Place): string {
  const elements: string[] = [];
  for (const element of set)
    elements.push(withValue('', element, `values()[${elements.length}]`, place));
  return sorted(elements).join(',');
}

/** The bytes as they are in memory: elements of several bytes are in the order of the machine. */
function bytesOf(source: ArrayBuffer | NodeJS.TypedArray): Buffer {
  if (!ArrayBuffer.isView(source)) return Buffer.from(source);
  return Buffer.from(source.buffer, source.byteOffset, source.byteLength);
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
