import { HttpException, InternalServerErrorException, NotFoundException } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { isDataSourceError } from '../../lib/config/stale-on.js';

describe(isDataSourceError.name, () => {
  it('passes on what tells a client that its request is at fault', () => {
    const errors = [new NotFoundException(), new HttpException('teapot', 418)];

    expect(errors.map(isDataSourceError)).toEqual([false, false]);
  });

  it('lets a stale value stand in for everything else', () => {
    const errors = [
      new Error('connection refused'),
      new InternalServerErrorException(),
      'no error',
    ];

    expect(errors.map(isDataSourceError)).toEqual([true, true, true]);
  });
});
