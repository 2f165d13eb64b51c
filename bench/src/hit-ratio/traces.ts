import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { zipfRequests } from '../workload.js';

/** Requests for keys, by their numbers. */
export interface Trace {
  readonly name: string;
  readonly requests: Uint32Array;
  /** The sizes of a cache that it is replayed with. */
  readonly sizes: readonly number[];
  /** Whether it was recorded, and not generated. */
  readonly recorded: boolean;
}

/** The sizes that the figures of others were taken with. */
const SIZES: Readonly<Record<string, readonly number[]>> = {
  'arc-oltp': [250, 500, 1_000, 2_000],
  'cache2k-orm-busy': [625, 1_250, 2_500, 5_000],
  'cache2k-web07': [75, 300, 1_200, 3_000],
  'cloudphysics-w106': [5_000, 10_000, 25_000, 50_000],
  'lirs-gli': [250, 500, 1_000, 1_500],
  'lirs-loop': [100, 250, 500, 1_000],
  'lirs-multi1': [250, 500, 1_000, 2_000],
  'lirs-multi2': [500, 1_000, 2_000, 3_000],
  'lirs-ps': [250, 500, 1_000, 2_000],
  'lirs-sprite': [100, 250, 500, 1_000],
  'scarab-recs': [10_000, 25_000, 50_000, 100_000],
};
const GENERATED_SIZES = [1_000, 5_000, 10_000, 25_000];

const ZIPF = { keys: 100_000, requests: 1_000_000, seed: 42 };

/** Traffic that is always there: popular and rare keys, scans between them, and a loop. */
export function generatedTraces(): readonly Trace[] {
  const zipf = [0.7, 0.9, 1.1].map((exponent) =>
    generated(`zipf${exponent}`, zipfRequests({ ...ZIPF, exponent })),
  );
  const scanned = withScans(zipfRequests({ ...ZIPF, exponent: 0.9 }), 50_000, 20_000);
  const loop = Uint32Array.from({ length: 200_000 }, (_, request) => request % 6_000);
  return [
    ...zipf,
    generated('zipf0.9scan', scanned.subarray(0, ZIPF.requests)),
    generated('loop6000', loop),
  ];
}

/** Reads the recorded traces of a folder: gzipped key numbers, four bytes each, lowest first. */
export function recordedTraces(folder: string): readonly Trace[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.u32.gz'))
    .map((file) => {
      const name = file.replace('.u32.gz', '');
      const bytes = gunzipSync(readFileSync(join(folder, file)));
      const requests = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
      return { name, requests, sizes: SIZES[name] ?? GENERATED_SIZES, recorded: true };
    });
}

/** Reads what others reached on the same traces: lines of trace, size and hits in percent. */
export function recordedFigures(folder: string): ReadonlyMap<string, number> {
  const file = join(folder, 'caffeine-3.2.2.tsv');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const figures = lines.map((line) => line.split('\t')).filter(({ length }) => length === 3);
  return new Map(
    figures.map(([trace, size, hits]) => [pointOf(trace!, Number(size)), Number(hits)]),
  );
}

/** Names a trace and a size. */
export function pointOf(trace: string, size: number): string {
  return `${trace} at ${size}`;
}

/**
 * Puts a scan of keys that are never asked for again behind every `every` requests, as an export or
 * a crawler would.
 */
export function withScans(requests: Uint32Array, every: number, length: number): Uint32Array {
  const scans = Math.floor((requests.length - 1) / every);
  const result = new Uint32Array(requests.length + scans * length);
  let cold = ZIPF.keys;
  let at = 0;
  for (let request = 0; request < requests.length; request++) {
    if (request > 0 && request % every === 0) {
      for (let key = 0; key < length; key++) result[at++] = cold++;
    }
    result[at++] = requests[request]!;
  }
  return result;
}

function generated(name: string, requests: Uint32Array): Trace {
  return {
    name,
    requests,
    sizes: name === 'loop6000' ? [1_500, 3_000, 5_000] : GENERATED_SIZES,
    recorded: false,
  };
}
