import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import {
  Cacheable,
  CacheEvict,
  CacheHierarchy,
  CacheHierarchyModule,
  InvalidArgumentError,
  LoadTimeoutError,
} from 'nestjs-cache-hierarchy';
import {
  EMPTY,
  firstValueFrom,
  lastValueFrom,
  Observable,
  of,
  range,
  Subject,
  take,
  toArray,
} from 'rxjs';
import { settle, VirtualClock } from '../support/virtual-clock.js';
import { boot, closeAll } from './boot.js';

@Injectable()
class PlacesService {
  runs = 0;
  left = 0;
  source = new Subject<number>();

  @Cacheable({ key: 'watched' })
  watch(): Observable<number> {
    this.runs += 1;
    return new Observable((subscriber) => {
      const run = this.source.subscribe(subscriber);
      return () => {
        this.left += 1;
        run.unsubscribe();
      };
    });
  }

  @Cacheable()
  count(to: number): Observable<number> {
    this.runs += 1;
    return range(1, to);
  }

  @Cacheable({ key: 'timed', hardTimeout: '5s' })
  watchTimed(): Observable<number> {
    return this.source;
  }

  @Cacheable({ key: 'graced', ttl: '5s', grace: '1h' })
  watchGraced(): Observable<number> {
    return this.source;
  }

  @Cacheable({ key: 'none' })
  none(): Observable<never> {
    this.runs += 1;
    return EMPTY;
  }

  @Cacheable({
    unless: (values: number[]) => values.length > 1,
    resultTags: (values) => `${values}`,
  })
  tagged(to: number): Observable<number> {
    this.runs += 1;
    return range(1, to);
  }

  @Cacheable({ key: 'hidden' })
  hidden(): Promise<number> {
    return of(1) as unknown as Promise<number>;
  }
}

describe(`${Cacheable.name} on methods that return an Observable`, () => {
  let clock: VirtualClock;
  let places: PlacesService;
  let cache: CacheHierarchy;

  beforeEach(async () => {
    clock = new VirtualClock();
    const app = await boot({
      imports: [CacheHierarchyModule.forRoot({ clock })],
      providers: [PlacesService],
    });
    places = app.get(PlacesService);
    cache = app.get(CacheHierarchy);
  });

  afterEach(closeAll);

  const all = <T>(stream: Observable<T>): Promise<T[]> => lastValueFrom(stream.pipe(toArray()));

  it('does nothing until it is subscribed to', async () => {
    const stream = places.count(3);
    await settle();
    expect(places.runs).toBe(0);

    await all(stream);

    expect(places.runs).toBe(1);
  });

  it('stores the values when the stream completes, and replays them in order', async () => {
    expect(await all(places.count(3))).toEqual([1, 2, 3]);
    expect(cache.peek('PlacesService.count(3)')).toEqual([1, 2, 3]);

    expect(await all(places.count(3))).toEqual([1, 2, 3]);

    expect(places.runs).toBe(1);
  });

  it('stores that a stream is empty', async () => {
    expect([await all(places.none()), await all(places.none())]).toEqual([[], []]);

    expect(places.runs).toBe(1);
  });

  it('runs once for all who subscribe meanwhile, the first of whom gets values as they come', async () => {
    const live: number[] = [];
    places.watch().subscribe((value) => live.push(value));
    const second = all(places.watch());
    await settle();

    places.source.next(1);
    expect(live).toEqual([1]);
    places.source.next(2);
    places.source.complete();

    expect(await second).toEqual([1, 2]);
    expect(live).toEqual([1, 2]);
    expect(places.runs).toBe(1);
  });

  it('stores a stream of one value whose subscriber leaves with that value', async () => {
    expect([await firstValueFrom(places.count(1)), await firstValueFrom(places.count(1))]).toEqual([
      1, 1,
    ]);
    expect(places.runs).toBe(1);

    const first = firstValueFrom(places.watch());
    await settle();
    places.source.next(1);
    places.source.complete();
    await first;
    await settle();

    expect(cache.peek('watched')).toEqual([1]);
  });

  it('stops a stream that goes on when its subscriber leaves with the first value', async () => {
    const first = firstValueFrom(places.watch());
    await settle();
    places.source.next(1);
    await first;
    await settle();

    expect(places.left).toBe(1);
    expect(cache.has('watched')).toBe(false);
  });

  it('hands an error to every subscriber, and stores nothing', async () => {
    const streams = [all(places.watch()), all(places.watch())];
    await settle();

    places.source.next(1);
    places.source.error(new RangeError('the database is away'));

    for (const stream of streams) await expect(stream).rejects.toThrow('the database is away');
    expect(cache.has('watched')).toBe(false);
  });

  it('goes on while somebody listens, and is unsubscribed from when the last one leaves', async () => {
    const subscriptions = [places.watch().subscribe(), places.watch().subscribe()];
    await settle();

    subscriptions[0]!.unsubscribe();
    await settle();
    expect(places.left).toBe(0);
    subscriptions[1]!.unsubscribe();
    await settle();

    expect(places.left).toBe(1);
    expect(cache.has('watched')).toBe(false);
  });

  it('passes on a stream of more than 1,000 values, to each subscriber, and does not store it', async () => {
    const streams = await Promise.all([all(places.count(1_002)), all(places.count(1_002))]);

    expect(streams.map((values) => [values.length, values.at(-1)])).toEqual([
      [1_002, 1_002],
      [1_002, 1_002],
    ]);
    expect(cache.has('PlacesService.count(1002)')).toBe(false);
  });

  it('stores a stream of 1,000 values', async () => {
    await all(places.count(1_000));

    expect(cache.has('PlacesService.count(1000)')).toBe(true);
  });

  it('stops an endless stream when its subscriber leaves it', async () => {
    const subscription = places.watch().subscribe();
    await settle();
    for (let value = 0; value < 1_500; value++) places.source.next(value);
    await settle();
    expect(places.left).toBe(0);

    subscription.unsubscribe();

    expect(places.left).toBe(1);
  });

  it('stops an endless stream that comes at once', async () => {
    expect(await all(places.count(Infinity).pipe(take(2)))).toEqual([1, 2]);
  });

  it('ends a stream that takes longer than its hardTimeout with an error', async () => {
    const values: number[] = [];
    const ended = new Promise((resolve) => {
      places.watchTimed().subscribe({ next: (value) => values.push(value), error: resolve });
    });
    await settle();
    places.source.next(1);
    await clock.advance(5_000);

    expect(await ended).toBeInstanceOf(LoadTimeoutError);
    expect(values).toEqual([1]);
  });

  it.each([
    ['before its first value', [], [0]],
    ['after a value', [1], 'the database is away'],
  ])('replays a stale stream when one fails %s, if at all', async (_, live, expected) => {
    await cache.set('graced', [0], { ttl: '5s', grace: '1h' });
    await clock.advance(6_000);
    const stream = all(places.watchGraced()).catch((error: RangeError) => error.message);
    await settle();

    for (const value of live) places.source.next(value);
    places.source.error(new RangeError('the database is away'));

    expect(await stream).toEqual(expected);
  });

  it('replays no more than a subscriber takes', async () => {
    await all(places.count(3));

    expect(await all(places.count(3).pipe(take(2)))).toEqual([1, 2]);
  });

  it('asks unless and resultTags about all values', async () => {
    await all(places.tagged(1));
    await all(places.tagged(2));
    expect(cache.has('PlacesService.tagged(1)')).toBe(true);
    expect(cache.has('PlacesService.tagged(2)')).toBe(false);

    await cache.invalidateTags('1');

    expect(cache.has('PlacesService.tagged(1)')).toBe(false);
  });

  it('does not store what was loaded when its key was deleted', async () => {
    const stream = all(places.watch());
    await settle();

    await cache.delete('watched');
    places.source.complete();
    await stream;

    expect(cache.has('watched')).toBe(false);
  });

  it('just runs without an application', async () => {
    await closeAll();
    const alone = new PlacesService();

    expect(await all(alone.count(2))).toEqual([1, 2]);
    expect(await all(alone.count(2))).toEqual([1, 2]);
    expect(alone.runs).toBe(2);
  });

  it('refuses an Observable that the declared type does not tell, with advice', async () => {
    await expect(places.hidden()).rejects.toThrow(InvalidArgumentError);
    await expect(places.hidden()).rejects.toThrow(/Write Observable as its return type/);
  });

  it('is refused by the other decorators at decoration', () => {
    const descriptor = Object.getOwnPropertyDescriptor(PlacesService.prototype, 'count')!;

    expect(() =>
      (CacheEvict({ key: 'a' }) as MethodDecorator)(PlacesService.prototype, 'count', descriptor),
    ).toThrow(/@CacheEvict on PlacesService\.count needs a method that returns a promise/);
  });
});
