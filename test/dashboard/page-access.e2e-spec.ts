import { beforeEach, expect, it } from '@jest/globals';
import { takePicture } from '../support/browser.js';
import { barriersOf } from './barriers.js';
import type { OpenedPage } from './opened-page.js';
import { cacheDetail, dashboardHello, dashboardSample, NOW } from './page-data.js';
import { describePage } from './page-fixture.js';

/** Three audits and two pictures of the whole page. */
const AUDIT_DEADLINE_MS = 300_000;

const LOOKS = (['light', 'dark'] as const).flatMap((scheme) =>
  [360, 1_440].map((width) => ({ scheme, width })),
);

describePage('for everybody', (fixture) => {
  beforeEach(() => {
    fixture.server.hello = dashboardHello({ mutations: true });
  });

  it.each(LOOKS)(
    'has no barrier in the $scheme, $width pixels wide',
    async (look) => {
      const opened = await fixture.openLive(look);
      await takePicture(opened.page, `${look.scheme}-${look.width}`);
      const calm = await barriersOf(opened.page);

      await makeTrouble(opened);
      await takePicture(opened.page, `${look.scheme}-${look.width}-trouble`);
      const troubled = await barriersOf(opened.page);
      await opened.waitForFigure('Health', 'Down');
      await opened.page.getByRole('button', { name: 'Clear…' }).click();
      const inDialog = await barriersOf(opened.page, 'dialog');

      expect([calm, troubled, inDialog]).toEqual([[], [], []]);
      expect(await opened.page.evaluate('document.documentElement.scrollWidth')).toBe(look.width);
      expect(opened.problems).toEqual([]);
    },
    AUDIT_DEADLINE_MS,
  );

  /** All that is hidden while nothing is wrong. */
  async function makeTrouble(opened: OpenedPage): Promise<void> {
    const { levels } = cacheDetail();
    const ill = cacheDetail({
      health: 'down',
      levels: levels.map((level) => Object.assign({}, level, { state: 'down', unconfirmed: 3 })),
      coherence: { proven: false, lagMs: null, missed: 4 },
    });
    const history = [dashboardSample(NOW + 1_000, { reads: 10 }, ill)];
    // A page that has heard nothing for a while asks again.
    fixture.server.hello = dashboardHello({ bootId: 'two', mutations: true, history });
    fixture.server.send('hello', fixture.server.hello);
    const entry = { level: 'L1', stale: true, freshForMs: 0, keptForMs: 1, ageMs: 1, tags: ['a'] };
    const body = { ok: true, entries: [{ ...entry, value: '{"id":1}' }] };
    fixture.server.answer = { status: 200, body };
    await opened.waitForFigure('Health', 'Down');
    await opened.page.locator('#key').fill('user:1');
    await opened.page.getByRole('button', { name: 'Inspect' }).click();
    await opened.page.locator('#inspected article').waitFor();
    await opened.page.getByText('All figures as a table').first().click();
  }

  it('can be walked through by keyboard, and every stop is seen', async () => {
    const opened = await fixture.openLive();
    const stops: string[] = [];
    do {
      await opened.page.keyboard.press('Tab');
      stops.push(await opened.page.evaluate<string>(DESCRIBE_FOCUS));
    } while (stops.at(-1) !== 'BODY' && stops.length < 50);

    expect(stops).toEqual([
      'A Skip to the figures',
      'SELECT cache',
      'DIV Hit ratio: move through time with the arrow keys',
      'DIV Reads a second: move through time with the arrow keys',
      'DIV Loads a second: move through time with the arrow keys',
      'INPUT flow-period',
      'INPUT shard-figure',
      'SUMMARY All figures as a table',
      'SUMMARY All figures as a table',
      'INPUT key',
      'INPUT key-namespace',
      'BUTTON Inspect',
      'BUTTON Delete',
      'TEXTAREA tags',
      'BUTTON Invalidate tags',
      'INPUT clear-namespace',
      'BUTTON Clear…',
      'BODY',
    ]);
  });

  it('moves through the charts by arrow keys, together, and reads out what is there', async () => {
    const opened = await fixture.openLive();
    const [ratio, reads] = ['Hit ratio', 'Reads a second'].map((name) =>
      opened.page.getByRole('slider', { name }),
    );

    await ratio!.press('Home');
    await ratio!.press('PageUp');
    await ratio!.press('ArrowRight');
    const moved = await Promise.all([ratio!, reads!].map(valueText));
    fixture.server.send('sample', dashboardSample(NOW + 1_000, { reads: 3, hits: 3, entries: 9 }));
    await opened.waitForFigure('Entries', '9');
    const kept = await valueText(ratio!);
    await ratio!.press('Escape');
    await ratio!.press('Tab');
    fixture.server.send('sample', dashboardSample(NOW + 2_000, { reads: 1, hits: 1, entries: 8 }));
    await opened.waitForFigure('Entries', '8');

    // The first sample is of 13:48:28.
    expect(moved[0]).toMatch(/^13:49:29: 9\d(\.\d)?% hits of the last 10 s$/);
    expect(moved[1]).toMatch(/^13:49:29: 2\d\d reads, 2\d\d hits$/);
    expect(kept).toBe(moved[0]);
    expect(await valueText(ratio!)).toMatch(/^14:03:29: /);
    expect(opened.problems).toEqual([]);
  });

  it('says nothing aloud by itself but what changes for good', async () => {
    const opened = await fixture.openLive();
    const live = opened.page.locator('[role=status], [role=alert], [aria-live]');
    const before = await live.allInnerTexts();

    fixture.server.send('sample', dashboardSample(NOW + 1_000, { entries: 9 }));
    await opened.waitForFigure('Entries', '9');

    expect(await live.allInnerTexts()).toEqual(before);
  });
});

/** Tells what has the focus, and whether its outline shows; that of a radio button is around its text. */
const DESCRIBE_FOCUS = `(() => {
  const focused = document.activeElement;
  if (focused === document.body) return 'BODY';
  const style = getComputedStyle(focused);
  const outlined = style.opacity === '0' ? getComputedStyle(focused.nextElementSibling) : style;
  const name = focused.name || focused.ariaLabel || focused.id || focused.textContent;
  return focused.tagName + (outlined.outlineStyle === 'none' ? ' unseen ' : ' ') + name;
})()`;

async function valueText(slider: {
  getAttribute(name: string): Promise<string | null>;
}): Promise<string | null> {
  return slider.getAttribute('aria-valuetext');
}
