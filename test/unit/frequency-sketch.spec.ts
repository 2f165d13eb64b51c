import { describe, expect, it } from '@jest/globals';
import { FrequencySketch } from '../../lib/memory/frequency-sketch.js';
import { randomFrom } from '../support/random.js';

/** Different hashes over all 32 bits, with sign. */
function hashes(count: number, seed = 1): number[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, () => random.below(2 ** 32) | 0);
}

function add(sketch: FrequencySketch, hash: number, times: number): void {
  for (let time = 0; time < times; time++) sketch.add(hash);
}

describe(FrequencySketch.name, () => {
  it('knows nothing of a key that it was never given', () => {
    const sketch = new FrequencySketch(1_000);

    expect(hashes(100).map((hash) => sketch.estimate(hash))).toEqual(Array(100).fill(0));
  });

  it('counts one key exactly, up to 15', () => {
    const sketch = new FrequencySketch(1_000);
    const counts = [1, 5, 15, 40].map((times, at) => {
      const hash = hashes(4, 7)[at]!;
      add(sketch, hash, times);
      return sketch.estimate(hash);
    });

    expect(counts).toEqual([1, 5, 15, 15]);
  });

  it('never estimates a key too low before it forgets', () => {
    const sketch = new FrequencySketch(1_000);
    const keys = hashes(1_000);
    for (const [at, key] of keys.entries()) add(sketch, key, 1 + (at % 9));

    const tooLow = keys.filter((key, at) => sketch.estimate(key) < 1 + (at % 9));

    expect(tooLow).toEqual([]);
  });

  it('tells keys apart as long as there are not more than it was made for', () => {
    const sketch = new FrequencySketch(2_000);
    for (const key of hashes(2_000)) sketch.add(key);

    const unknown = hashes(2_000, 2).map((key) => sketch.estimate(key));

    expect(unknown.filter((count) => count > 0).length).toBeLessThan(200);
  });

  it('halves what it knows after ten additions for each key', () => {
    const sketch = new FrequencySketch(512);
    const [old, ...others] = hashes(5_200);
    add(sketch, old!, 14);
    const before = sketch.estimate(old!);
    for (const key of others.slice(0, 512 * 10 - 14)) sketch.add(key);

    expect([before, sketch.estimate(old!) < 14]).toEqual([14, true]);
    expect(sketch.estimate(old!)).toBeGreaterThanOrEqual(7);
  });

  it('lets what is asked for now overtake what was asked for once', () => {
    const sketch = new FrequencySketch(512);
    const [old, recent, ...others] = hashes(40_000, 3);
    add(sketch, old!, 15);
    for (const key of others) sketch.add(key);
    add(sketch, recent!, 8);

    expect(sketch.estimate(recent!)).toBeGreaterThan(sketch.estimate(old!));
  });

  it('is made for 512 keys at least', () => {
    expect([1, 512, 513].map((keys) => new FrequencySketch(keys).keys)).toEqual([512, 512, 513]);
  });
});
