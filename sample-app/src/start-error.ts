import { inspect } from 'node:util';

/** Stops the start with advice for whoever started the application: no line of code is at fault. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartError';
  }

  /** What Nest logs of an error that stops the start: here without the stack. */
  [inspect.custom](): string {
    return this.message;
  }
}
