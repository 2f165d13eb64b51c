import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { Cacheable, CacheHierarchy } from 'nestjs-cache-hierarchy';
import {
  CacheHierarchyTestingModule,
  expectHit,
  expectMiss,
  FakeClock,
  recordCache,
} from 'nestjs-cache-hierarchy/testing';

@Injectable()
class RatesService {
  @Cacheable({ key: (currency: string) => `rate:${currency}`, ttl: '5m' })
  async find(currency: string): Promise<number> {
    return currency === 'EUR' ? 1 : 1.1;
  }
}

describe('RatesService', () => {
  let app: TestingModule;
  let rates: RatesService;
  let cache: CacheHierarchy;

  beforeEach(async () => {
    app = await Test.createTestingModule({
      imports: [CacheHierarchyTestingModule.forRoot()],
      providers: [RatesService],
    }).compile();
    rates = app.get(RatesService);
    cache = app.get(CacheHierarchy);
  });

  afterEach(() => app.close());

  it('asks once in five minutes', async () => {
    await expectMiss(cache, () => rates.find('USD'));
    await app.get(FakeClock).advance('299s');
    await expectHit(cache, () => rates.find('USD'));
    await app.get(FakeClock).advance('1s');
    await expectMiss(cache, () => rates.find('USD'), 'expired');
  });

  it('keeps currencies apart', async () => {
    using seen = recordCache(cache);
    await Promise.all([rates.find('USD'), rates.find('USD'), rates.find('EUR')]);

    expect(seen.loads('rate:USD')).toBe(1);
    expect(seen.joins('rate:USD')).toBe(1);
    expect(seen.loads('rate:EUR')).toBe(1);
  });
});
