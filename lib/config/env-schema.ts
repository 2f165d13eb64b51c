import { InvalidOptionsError, type OptionProblem } from '../errors.js';
import { configOf } from './cache-hierarchy.config.js';
import { problemsOfEnvironment } from './module-options.js';
import type { Environment } from './read-settings.js';

/** What {@link CacheHierarchyEnvSchema} answers. */
export type EnvSchemaResult =
  | { readonly value: Record<string, unknown>; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path: readonly string[] }[] };

/** A schema as https://standardschema.dev has it, version 1. */
export interface CacheHierarchyEnvSchema {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    /** For the compiler: never there when it runs. */
    readonly types?: {
      readonly input: Record<string, unknown>;
      readonly output: Record<string, unknown>;
    };
    readonly validate: (variables: unknown) => EnvSchemaResult;
  };
}

/**
 * Checks the variables of the environment that the module reads, with an issue for each that is wrong; all others
 * are let through, and nothing is changed. For `validationSchema` of `ConfigModule.forRoot` of `@nestjs/config`
 * 12, or whatever else takes a Standard Schema.
 *
 * The module checks them in any case: with this they fail where all variables of the application fail, before
 * anything is started, and have to be right also where an option stands in their place.
 */
export const cacheHierarchyEnvSchema: CacheHierarchyEnvSchema = {
  '~standard': {
    version: 1,
    vendor: 'nestjs-cache-hierarchy',
    validate(variables) {
      const issues = problemsIn(variables).map(({ option, message }) => ({
        message,
        path: [option],
      }));
      return issues.length > 0 ? { issues } : { value: variables as Record<string, unknown> };
    },
  },
};

/**
 * The same for `validate` of `ConfigModule.forRoot`, of `@nestjs/config` 4 and 12.
 *
 * @returns the variables as they are
 * @throws {InvalidOptionsError} with everything that is wrong with them
 */
export function validateCacheHierarchyEnv<Variables extends object>(
  variables: Variables,
): Variables {
  const problems = problemsIn(variables);
  if (problems.length > 0) throw new InvalidOptionsError('The environment', problems);
  return variables;
}

function problemsIn(variables: unknown): readonly OptionProblem[] {
  return problemsOfEnvironment(configOf(textsOf(variables)));
}

/** What `ConfigModule` would write to the environment: what is no text, number or boolean is left out. */
function textsOf(variables: unknown): Environment {
  const texts = Object.entries(variables ?? {}).flatMap(([name, value]) =>
    ['string', 'number', 'boolean'].includes(typeof value) ? [[name, String(value)] as const] : [],
  );
  return Object.fromEntries(texts);
}
