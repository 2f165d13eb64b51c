import { quote } from './quoted-text.js';

/** What is alike in the texts of all objects with the same names. */
export interface Shape {
  /** As the objects have them. */
  readonly names: readonly string[];
  readonly sortedNames: readonly string[];
  /**
   * What stands before each value. There are four of these lists: the quotes of a string that needs nothing
   * but quotes are in what stands before it, {@link BEFORE_STRING}, and behind it, {@link AFTER_STRING}.
   */
  readonly openings: readonly (readonly string[])[];
}

export const BEFORE_STRING = 1;
export const AFTER_STRING = 2;

/** Shapes by their first name: the objects that an application is called with have few. */
const shapes = new Map<string, Shape>();
const MAX_SHAPES = 256;
/** More and longer names are hardly those of a program. */
const MAX_SHAPE_NAMES = 32;
const MAX_SHAPE_NAME_LENGTH = 64;

/** Returns what is alike in the texts of all objects with these names, in their order. */
export function shapeOf(names: string[]): Shape {
  const known = shapes.get(names[0]!);
  if (known !== undefined && isSame(known.names, names)) return known;
  const shape = makeShape(names);
  if (shapes.size >= MAX_SHAPES) shapes.clear();
  const isKept = names.length <= MAX_SHAPE_NAMES && names.every(isShort);
  if (isKept) shapes.set(names[0]!, shape);
  return shape;
}

function makeShape(names: string[]): Shape {
  const sortedNames = sorted(names);
  const plain = sortedNames.map((name, at) => flat(at === 0 ? '{' : ',', quote(name), ':'));
  const afterString = plain.map((opening) => flat('"', opening));
  const openings = [plain, afterString].flatMap((list) => [
    list,
    list.map((opening) => flat(opening, '"')),
  ]);
  return { names, sortedNames, openings };
}

/** Makes one text of pieces: what `+` gives is a tree of them, to be walked through each time it is used. */
function flat(...pieces: string[]): string {
  return pieces.join('');
}

function isShort({ length }: string): boolean {
  return length <= MAX_SHAPE_NAME_LENGTH;
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return false;
  return true;
}

/** Sorts texts that are seldom out of order: looking is quicker than sorting. */
export function sorted(texts: string[]): string[] {
  for (let index = 1; index < texts.length; index += 1) {
    if (texts[index - 1]! > texts[index]!) return texts.toSorted();
  }
  return texts;
}
