/** Text that JSON writes as it is, between quotes: most strings, and quick to tell. */
const SIMPLE = /^[ !#-[\]-~]*$/;

/** Whether a string in quotes is written as it is. */
export function isSimple(text: string): boolean {
  return SIMPLE.test(text);
}

/** Writes a string in quotes, its control characters and lone surrogates escaped. */
export function quote(text: string): string {
  if (isSimple(text)) return `"${text}"`;
  return JSON.stringify(text).replaceAll(/[\u007f-\u009f]/g, escapeControl);
}

function escapeControl(character: string): string {
  return `\\u00${character.charCodeAt(0).toString(16)}`;
}
