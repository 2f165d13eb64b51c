import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { CacheRegistry } from '../binding/cache.registry.js';
import { cachesOf, nameIn, type CachesNow } from '../binding/named-caches.js';
import type { Clock } from '../clock.js';
import { LATENCY_BUCKETS_MS } from '../hierarchy/latency-histogram.js';
import { DashboardRecorder } from './dashboard-recorder.js';
import type { ResolvedSettings } from './dashboard-options.js';
import type { DashboardHello } from './dashboard-state.js';
import { HotKeys } from './hot-keys.js';
import { PageFiles } from './page-files.js';
import type { RawExchange } from './raw-exchange.js';
import { RecentActivity } from './recent-activity.js';
import { eventOf, Viewers } from './viewers.js';

const INTERVAL_MS = 1_000;
/** After how long a browser that was cut off comes back. */
const RECONNECT_MS = 2_000;

/** What the dashboard takes from outside; a test has its own. */
export interface DashboardSurroundings {
  readonly clock: Clock;
  /** Where the build has put the page, with a slash at its end. */
  readonly pageFolder: URL;
}

/**
 * Watches the caches of an application, from its start on, and tells those who look. Once a second it takes their
 * figures; beside that it hears of invalidations, and while somebody watches of a part of the hits.
 */
export class CacheDashboard implements OnModuleInit, OnModuleDestroy {
  readonly files: PageFiles;
  readonly caches: CachesNow;
  private readonly logger = new Logger('CacheDashboard');
  private readonly clock: Clock;
  private readonly recorder: DashboardRecorder;
  private readonly hotKeys: HotKeys;
  private readonly activity: RecentActivity;
  private readonly viewers: Viewers;
  private readonly bootId = randomUUID();
  private readonly version = versionOfPackage();
  private startedAt = 0;
  /** When the first sample was taken, by the monotonic clock: the others follow from that. */
  private begunAt = 0;
  private cancel: (() => void) | undefined;
  private hasFailed = false;

  constructor(
    registry: CacheRegistry,
    readonly settings: ResolvedSettings,
    { clock, pageFolder }: DashboardSurroundings,
  ) {
    const { revealKeys } = settings;
    const nameOf = (event: Parameters<typeof nameIn>[1]): string | undefined =>
      nameIn(registry, event);
    this.clock = clock;
    this.caches = cachesOf(registry);
    this.files = new PageFiles(pageFolder);
    this.hotKeys = new HotKeys({ clock, revealKeys, nameOf });
    this.activity = new RecentActivity({ clock, revealKeys, nameOf });
    this.viewers = new Viewers(() => this.hotKeys.stop());
    this.recorder = new DashboardRecorder({
      caches: this.caches,
      hotKeysOf: (cache) => this.hotKeys.of(cache),
    });
  }

  /** Called by Nest before the application takes requests. */
  onModuleInit(): void {
    this.startedAt = this.clock.wallNow();
    this.begunAt = this.clock.now();
    this.activity.start();
    this.attempt(() => this.recorder.sample(this.startedAt));
    this.arm();
  }

  /** Called by Nest when the application begins to close: a stream that stays open would keep it from that. */
  onModuleDestroy(): void {
    this.cancel?.();
    this.activity.stop();
    this.viewers.close();
    this.hotKeys.stop();
  }

  /** Answers with a stream of events, or tells why there is none. */
  watch(exchange: RawExchange): void {
    const { response, request } = exchange;
    const { refusal } = this.viewers;
    if (refusal !== undefined) return exchange.send(503, 'text/plain', refusal);
    response.setHeader('content-type', 'text/event-stream');
    // A connection of HTTP/2 is for other requests, too, and has no such field.
    if (request.httpVersionMajor === 1) response.setHeader('connection', 'close');
    response.writeHead(200);
    if (request.method === 'HEAD') return void response.end();
    this.viewers.add(response, `retry: ${RECONNECT_MS}\n\n${eventOf('hello', this.hello())}`);
    this.hotKeys.sample();
    return undefined;
  }

  /** A {@link DashboardHello} as JSON. */
  private hello(): string {
    const hello: Omit<DashboardHello, 'history'> = {
      bootId: this.bootId,
      startedAt: this.startedAt,
      now: this.clock.wallNow(),
      version: this.version,
      intervalMs: INTERVAL_MS,
      mutations: this.settings.mutations,
      revealsKeys: this.settings.revealKeys,
      latencyBucketsMs: LATENCY_BUCKETS_MS,
      caches: this.recorder.caches(),
      activity: this.activity.recent,
    };
    return `{"history":${this.recorder.history()},${JSON.stringify(hello).slice(1)}`;
  }

  /** Waits for the next full second since the first sample; one that was missed is left out. */
  private arm(): void {
    const untilNext = INTERVAL_MS - ((this.clock.now() - this.begunAt) % INTERVAL_MS);
    // A timer can come a little early: that second has been seen to.
    const delayMs = untilNext < INTERVAL_MS / 2 ? untilNext + INTERVAL_MS : untilNext;
    this.cancel = this.clock.setTimer(() => this.tick(), delayMs);
  }

  private tick(): void {
    this.arm();
    this.attempt(() => {
      this.recorder.sample(this.clock.wallNow());
      const happened = this.activity.look();
      if (this.viewers.size === 0) return;
      const events = [
        ...happened.map((activity) => eventOf('activity', JSON.stringify(activity))),
        ...this.recorder.latest().map((sample) => eventOf('sample', JSON.stringify(sample))),
      ];
      this.viewers.tell(events.join(''));
      // The last one may just have been let go.
      if (this.viewers.size > 0) this.hotKeys.sample();
    });
  }

  /** What fails here must not end the process, and a test's double of a cache may fail each second. */
  private attempt(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!this.hasFailed) this.logger.error('The dashboard could not take a sample.', error);
      this.hasFailed = true;
    }
  }
}

function versionOfPackage(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
