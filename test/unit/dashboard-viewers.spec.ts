import { Writable } from 'node:stream';
import { describe, expect, it, jest } from '@jest/globals';
import { eventOf, MAX_SKIPPED, Viewers, type Stream } from '../../lib/dashboard/viewers.js';

/** A stream that is read only when its reader is told to. */
class Reader extends Writable {
  readonly got: string[] = [];
  isReading = true;
  #done: (() => void) | undefined;

  constructor() {
    super({ decodeStrings: false, highWaterMark: 10 });
  }

  override _write(text: string, _encoding: string, done: () => void): void {
    this.got.push(text);
    if (this.isReading) done();
    else this.#done = done;
  }

  read(): void {
    this.isReading = true;
    this.#done?.();
  }
}

function watch(viewers: Viewers): Reader {
  const reader = new Reader();
  viewers.add(reader as unknown as Stream, 'greeting');
  return reader;
}

describe(Viewers.name, () => {
  it('keeps nothing for who does not read, and lets him go after a while', () => {
    const left = jest.fn();
    const viewers = new Viewers(left);
    const [slow, quick] = [watch(viewers), watch(viewers)];
    slow.isReading = false;

    viewers.tell('first round');
    for (let skipped = 1; skipped < MAX_SKIPPED; skipped++) viewers.tell('next round');
    expect([slow.destroyed, viewers.size, slow.writableLength]).toEqual([
      false,
      2,
      'first round'.length,
    ]);
    viewers.tell('last round');

    expect([slow.destroyed, viewers.size]).toEqual([true, 1]);
    expect(slow.got).toEqual(['greeting', 'first round']);
    expect(quick.got).toHaveLength(MAX_SKIPPED + 2);
    expect(left).not.toHaveBeenCalled();
  });

  it('goes on with who has caught up', async () => {
    const viewers = new Viewers(() => {});
    const reader = watch(viewers);
    for (let time = 0; time < 3; time++) {
      reader.isReading = false;
      for (let round = 0; round < MAX_SKIPPED; round++) viewers.tell('some round');
      const drained = new Promise((resolve) => reader.once('drain', resolve));
      reader.read();
      await drained;
    }

    expect([reader.destroyed, reader.got]).toEqual([
      false,
      ['greeting', ...Array.from({ length: 3 }, () => 'some round')],
    ]);
  });

  it('tells when the last one has gone', async () => {
    const left = jest.fn();
    const viewers = new Viewers(left);
    const [one, other] = [watch(viewers), watch(viewers)];
    const gone = (reader: Reader): Promise<unknown> =>
      new Promise((resolve) => reader.once('close', resolve).destroy());

    await gone(one);
    expect([left.mock.calls.length, viewers.size]).toEqual([0, 1]);
    await gone(other);

    expect([left.mock.calls.length, viewers.size]).toEqual([1, 0]);
  });

  it('ends all streams when it closes, and cuts off who does not read', () => {
    const viewers = new Viewers(() => {});
    const [slow, quick] = [watch(viewers), watch(viewers)];
    slow.isReading = false;
    viewers.tell('first round');

    viewers.close();

    expect([slow.destroyed, quick.destroyed, quick.writableEnded]).toEqual([true, false, true]);
    expect([viewers.size, viewers.refusal]).toEqual([0, 'The application is shutting down.']);
  });
});

describe(eventOf.name, () => {
  it('has no line break within an event', () => {
    const text = eventOf('activity', JSON.stringify({ what: 'a\n\nevent: b\r\u2028' }));

    expect(text.split(/[\n\r]/)).toEqual([
      'event: activity',
      expect.stringMatching(/^data: /),
      '',
      '',
    ]);
  });
});
