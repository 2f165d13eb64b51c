import type { DiscoveryService } from '@nestjs/core';

type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/**
 * Whether a provider has been found to need another one, be it through others. Nest notes what a provider
 * needs before it waits for that, so while it starts this tells who waits for whom.
 */
export function needs(
  provider: InstanceWrapper,
  token: symbol,
  seen = new Set<InstanceWrapper>(),
): boolean {
  if (seen.has(provider)) return false;
  seen.add(provider);
  return neededBy(provider).some((other) => other.token === token || needs(other, token, seen));
}

/** A forward reference is not waited for. Gaps are what Nest has not come to, or has not found. */
function neededBy(provider: InstanceWrapper): InstanceWrapper[] {
  const properties = (provider.getPropertiesMetadata() ?? []).map(({ wrapper }) => wrapper);
  return [...(provider.getCtorMetadata() ?? []), ...properties].filter(
    (other) => other !== undefined && other.forwardRef !== true,
  );
}
