import { types } from 'node:util';
import { copyData } from './response-body.js';

/**
 * Where in data there are parts that have parts themselves. Data that is copied again and again is looked
 * at once: after that a copy takes a third of what it takes to look at every value.
 */
export interface BodyForm {
  /** The form of all elements of a list; `undefined` where they have none, or not one. */
  readonly each: BodyForm | undefined;
  /** The properties of an object that are lists or objects, and the form of each. */
  readonly names: readonly string[];
  readonly forms: readonly BodyForm[];
}

/** That of an object or a list of nothing but primitives. */
const FLAT: BodyForm = Object.freeze({ each: undefined, names: [], forms: [] });

/** An object with more lists and objects is a dictionary, whose form would take as much room. */
const MAX_PARTS = 64;

/** Returns the form of data, `undefined` where it is none that repeats: it is to be looked at each time. */
export function formOf(value: object): BodyForm | undefined {
  if (Array.isArray(value)) return formOfList(value);
  if (types.isDate(value)) return undefined;
  const parts = Object.entries(value).filter(([, part]) => hasParts(part));
  if (parts.length === 0) return FLAT;
  if (parts.length > MAX_PARTS) return undefined;
  const forms = parts.map(([, part]) => formOf(part as object));
  if (!forms.every((form) => form !== undefined)) return undefined;
  return { each: undefined, names: parts.map(([name]) => name), forms };
}

/** Copies data that has had this form since it was looked at. */
export function copyAs(form: BodyForm | undefined, value: object): unknown {
  if (form === undefined) return copyData(value);
  if (Array.isArray(value)) {
    const list: unknown[] = value.slice();
    const { each } = form;
    if (each === undefined) return list;
    for (let at = 0; at < list.length; at += 1) list[at] = copyAs(each, list[at] as object);
    return list;
  }
  const copy = { ...value } as Record<string, unknown>;
  const { names, forms } = form;
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at]!;
    copy[name] = copyAs(forms[at], copy[name] as object);
  }
  return copy;
}

function formOfList(list: readonly unknown[]): BodyForm | undefined {
  if (!list.some(hasParts)) return FLAT;
  // Where elements are left out, `every` does not look.
  if (Object.keys(list).length !== list.length || !list.every(hasParts)) return undefined;
  const forms = list.map((part) => formOf(part as object));
  const [each] = forms;
  const isAlike = each !== undefined && forms.every((form) => isSame(form, each));
  return isAlike ? { each, names: [], forms: [] } : undefined;
}

function hasParts(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isSame(one: BodyForm | undefined, other: BodyForm | undefined): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined) return false;
  return (
    isSame(one.each, other.each) &&
    one.names.length === other.names.length &&
    one.names.every((name, at) => name === other.names[at]) &&
    one.forms.every((form, at) => isSame(form, other.forms[at]))
  );
}
