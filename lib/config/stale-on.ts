import { HttpException } from '@nestjs/common';

/**
 * Tells whether a stale value may stand in for an error: for any but an `HttpException` below 500,
 * with which an application says that the request, not the data source, is at fault.
 */
export function isDataSourceError(error: unknown): boolean {
  return !(error instanceof HttpException) || error.getStatus() >= 500;
}
