import { BadRequestException } from '@nestjs/common';

/** What a number may be; both ends belong to the range. */
export interface NumberRule {
  readonly min: number;
  readonly max: number;
  /** Whether it must be a whole number. */
  readonly whole?: boolean;
}

const DECIMAL = /^[+-]?\d+(\.\d+)?$/;
const CONTROL_CHARACTER = /\p{Cc}/u;
const MAX_SHOWN = 40;

/**
 * Reads a request's values name by name and collects whatever is wrong with them, so use none
 * before {@link Input.finish}: it answers 400 with all problems at once. A name that nobody read
 * is one of them, so a misspelt parameter is not silently ignored.
 */
export class Input {
  private readonly problems: string[] = [];
  private readonly known = new Set<string>();

  private constructor(
    private readonly values: Readonly<Record<string, unknown>>,
    private readonly numbersAreTexts: boolean,
  ) {}

  /** Reads the parameters of a path or a query. */
  static ofUrl(parameters: Readonly<Record<string, unknown>>): Input {
    return new Input(parameters, true);
  }

  /** Reads a JSON body. */
  static ofBody(body: unknown): Input {
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
      return new Input(body as Record<string, unknown>, false);
    }
    throw new BadRequestException([
      'the body must be a JSON object, sent with Content-Type: application/json',
    ]);
  }

  /** Reads a number, which must be there unless it has a fallback. */
  number(name: string, rule: NumberRule, fallback?: number): number {
    const given = this.take(name);
    if (given === undefined && fallback !== undefined) return fallback;
    const number = this.numbersAreTexts ? fromText(given) : given;
    if (isNumber(number, rule)) return number;
    const kind = rule.whole === true ? 'a whole number' : 'a number';
    return this.reject(name, `must be ${kind} from ${rule.min} to ${rule.max}`, NaN);
  }

  /** Reads a text without control characters, trimmed. */
  text(name: string, maxLength: number): string {
    const given = this.take(name);
    const text = typeof given === 'string' ? given.trim() : '';
    const isFine = text.length <= maxLength && !CONTROL_CHARACTER.test(text) && text.isWellFormed();
    if (text !== '' && isFine) return text;
    return this.reject(name, `must be a text of 1 to ${maxLength} printable characters`, '');
  }

  /** Reads the two letters of a country, in either case. */
  country(name: string): string {
    const given = this.take(name);
    if (typeof given === 'string' && /^[a-z]{2}$/i.test(given)) return given.toUpperCase();
    return this.reject(name, 'must be the two letters of a country, such as DE', '');
  }

  /** Reads what may be absent. */
  optional<T>(name: string, read: (name: string) => T): T | undefined {
    return this.take(name) === undefined ? undefined : read(name);
  }

  /** Notes a problem of a name that no single value has. */
  refuse(problem: string): void {
    this.problems.push(problem);
  }

  /**
   * Ends the reading.
   *
   * @throws {BadRequestException} with every problem
   */
  finish(): void {
    for (const name of Object.keys(this.values)) {
      if (this.known.has(name)) continue;
      this.problems.push(`${shorten(name)} is unknown; known are ${[...this.known].join(', ')}`);
    }
    if (this.problems.length > 0) throw new BadRequestException(this.problems);
  }

  private take(name: string): unknown {
    this.known.add(name);
    return this.values[name];
  }

  private reject<T>(name: string, requirement: string, substitute: T): T {
    const given = this.values[name];
    const shown = given === undefined ? 'it is missing' : `got ${shorten(JSON.stringify(given))}`;
    this.problems.push(`${name} ${requirement}; ${shown}`);
    return substitute;
  }
}

function fromText(given: unknown): unknown {
  return typeof given === 'string' && DECIMAL.test(given) ? Number(given) : undefined;
}

function isNumber(value: unknown, { min, max, whole }: NumberRule): value is number {
  if (typeof value !== 'number' || !(value >= min && value <= max)) return false;
  return whole !== true || Number.isInteger(value);
}

function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
