import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { CACHE_CHANNELS, CacheEvents } from '../../lib/hierarchy/cache-events.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { entryOf } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

const clock = new VirtualClock();
/** How often a message was made: each has the cache that it is of. */
let messages: number;
let events: CacheEvents;

/** One event of each channel. */
const TELL: Record<keyof typeof CACHE_CHANNELS, () => void> = {
  hit: () => events.hit('key', 'L1'),
  miss: () => events.miss('key', 'absent'),
  stored: () => events.stored('key', entryOf('value', clock), 'load'),
  loadStarted: () => events.loadStarted('key'),
  loadJoined: () => events.loadJoined('key'),
  loadFailed: () => events.loadFailed('key', new Error('away')),
  loadDiscarded: () => events.loadDiscarded('key', 'fenced'),
  refreshed: () => events.refreshed('key'),
  invalidated: () => events.invalidated('delete', 'key'),
};

beforeEach(() => {
  messages = 0;
  const hierarchy = (): CacheHierarchy => {
    messages += 1;
    return undefined as unknown as CacheHierarchy;
  };
  events = new CacheEvents({ clock, name: undefined, hierarchy });
});

describe(CacheEvents.name, () => {
  it.each(Object.keys(CACHE_CHANNELS) as (keyof typeof CACHE_CHANNELS)[])(
    'makes a message of %s for those who listen to that channel, and else none',
    (event) => {
      for (const tell of Object.values(TELL)) tell();
      expect(messages).toBe(0);

      const heard: unknown[] = [];
      const note = (message: unknown): void => void heard.push(message);
      subscribe(CACHE_CHANNELS[event], note);
      for (const tell of Object.values(TELL)) tell();
      unsubscribe(CACHE_CHANNELS[event], note);
      for (const tell of Object.values(TELL)) tell();

      expect([messages, heard.length]).toEqual([1, 1]);
    },
  );
});
