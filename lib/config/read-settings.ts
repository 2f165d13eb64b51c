import { tryParseDuration } from '../durations.js';
import { show, type OptionProblem } from '../errors.js';
import { SETTINGS, type Setting, type SettingKind, type SettingTarget } from './settings.js';

/** What the environment says, option by option. */
export interface ReadSettings {
  /** What each option was given; a bad value as it was written, so that whoever takes it refuses it. */
  readonly values: ReadonlyMap<SettingTarget, unknown>;
  /** The variable that fed each option. */
  readonly sources: ReadonlyMap<SettingTarget, string>;
  /** What is wrong, variable by variable. */
  readonly problems: readonly OptionProblem[];
}

/** The variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads every setting of the environment. A blank variable is unset. */
export function readSettings(environment: Environment): ReadSettings {
  const values = new Map<SettingTarget, unknown>();
  const sources = new Map<SettingTarget, string>();
  const problems: OptionProblem[] = [];
  for (const setting of SETTINGS) {
    const text = environment[setting.name]?.trim() ?? '';
    if (text === '') continue;
    const value = KINDS[setting.kind].parse(text);
    if (value === undefined) problems.push(problemOf(setting, text));
    for (const target of setting.feeds) {
      values.set(target, value ?? text);
      sources.set(target, setting.name);
    }
  }
  return { values, sources, problems };
}

function problemOf({ name, kind }: Setting, text: string): OptionProblem {
  return { option: name, message: `must be ${KINDS[kind].form}, got ${show(text)}` };
}

interface Kind {
  /** What the text must be, for the error's message. */
  readonly form: string;
  /** Returns what the text says, or `undefined` when it says nothing legal. */
  readonly parse: (text: string) => unknown;
}

const KINDS: Record<SettingKind, Kind> = {
  duration: {
    form: 'a positive number of seconds, a number with a unit (250ms, 60s, 5m, 1h, 1d) or Infinity',
    parse: parseSeconds,
  },
  count: { form: 'a whole number of at least 1', parse: parseCount },
  boolean: { form: 'true, false, 1 or 0', parse: parseBoolean },
};

const BARE_NUMBER = /^(?:\d+(?:\.\d+)?|Infinity)$/;

function parseSeconds(text: string): number | undefined {
  return tryParseDuration(BARE_NUMBER.test(text) ? Number(text) * 1_000 : text);
}

function parseCount(text: string): number | undefined {
  if (text === 'Infinity') return Infinity;
  return /^\d+$/.test(text) && Number(text) >= 1 ? Number(text) : undefined;
}

function parseBoolean(text: string): boolean | undefined {
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : undefined;
}
