/** @throws {Error} with the message, unless the condition holds */
export function expectThat(condition, message) {
  if (!condition) throw new Error(message);
}
