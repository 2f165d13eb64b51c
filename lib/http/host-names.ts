import type { IncomingHttpHeaders } from 'node:http';
import type { AbstractHttpAdapter } from '@nestjs/core';

/**
 * Tells for which host requests are, in lower case and without the port. Where no proxy names another, both
 * adapters read it from the `Host` field alone: most requests repeat that of the request before.
 */
export class HostNames {
  #lastField: string | undefined;
  #lastName = '';

  of(adapter: AbstractHttpAdapter, request: object, headers: IncomingHttpHeaders): string {
    const { host } = headers;
    if (host === undefined || headers['x-forwarded-host'] !== undefined)
      return nameOf(adapter, request);
    if (host !== this.#lastField) {
      this.#lastName = nameOf(adapter, request);
      this.#lastField = host;
    }
    return this.#lastName;
  }
}

function nameOf(adapter: AbstractHttpAdapter, request: object): string {
  return String(adapter.getRequestHostname(request)).toLowerCase();
}
