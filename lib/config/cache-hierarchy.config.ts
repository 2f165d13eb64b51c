import { registerAs } from '@nestjs/config';
import type { CacheHierarchyOptions } from '../hierarchy/hierarchy-options.js';
import { readSettings, type Environment, type ReadSettings } from './read-settings.js';

const settingsOfConfig = new WeakMap<object, ReadSettings>();

/**
 * Reads the options that the environment gives, `.env` files of the application's `ConfigModule`
 * included. The module merges them under the options it is given, so an application needs this only
 * to look at them: `ConfigService.get('cacheHierarchy')`, or `@Inject(cacheHierarchyConfig.KEY)`.
 *
 * A setting that can not be read stays in the options as it was written: the module reports it by its
 * variable's name, and whatever else takes the options refuses it.
 */
export const cacheHierarchyConfig = registerAs('cacheHierarchy', () => configOf(process.env));

/** Returns the options that an environment gives. */
export function configOf(environment: Environment): CacheHierarchyOptions {
  const settings = readSettings(environment);
  const options = optionsOf(settings);
  settingsOfConfig.set(options, settings);
  return options;
}

/** Returns the settings a config was made of, or `undefined` when it was not read from the environment. */
export function settingsOf(config: object): ReadSettings | undefined {
  return settingsOfConfig.get(config);
}

function optionsOf({ values }: ReadSettings): CacheHierarchyOptions {
  const options: Record<string, unknown> = {};
  for (const [target, value] of values) {
    const [name, field] = target.split('.') as [string, string?];
    options[name] = field === undefined ? value : { ...(options[name] as object), [field]: value };
  }
  return options;
}
