const FAULTS = process.env['FAULTS'] ?? '';

if (!['', 'full'].includes(FAULTS))
  throw new Error(
    `FAULTS is '${FAULTS}', and can be 'full' or nothing: leave it out for the usual size.`,
  );

/** Whether the fault tests take as long, and ask for as much, as they are specified: `npm run test:faults:full`. */
export const IS_FULL = FAULTS === 'full';

/** A size or a bound: the usual one, that any machine has the time for, and the one that is specified. */
export function sized<T>(usual: T, full: T): T {
  return IS_FULL ? full : usual;
}

/** Prints what was measured where the tests have their full size. */
export function tell(fault: string, figures: Readonly<Record<string, unknown>>): void {
  if (IS_FULL) process.stdout.write(`${fault}: ${JSON.stringify(figures)}\n`);
}
