import { expect, it } from '@jest/globals';
import { dashboardHello, dashboardSample, NOW } from './page-data.js';
import { describePage } from './page-fixture.js';

const FIVE_MINUTES = 5 * 60_000;

describePage('and its connection', (fixture) => {
  it('starts its series anew with a new start of the application, and says so', async () => {
    const opened = await fixture.openLive();
    const restartedAt = NOW + 60_000;
    fixture.server.hello = dashboardHello({
      bootId: 'second-boot',
      startedAt: restartedAt,
      now: restartedAt + 2_000,
      history: [dashboardSample(restartedAt + 1_000, { reads: 5, hits: 4, entries: 3 })],
      activity: [],
    });

    fixture.server.drop();

    await opened.waitForText(
      '#notice-text',
      'The application restarted at 14:04:27: its figures start anew.',
    );
    await opened.waitForFigure('Entries', '3');
    await opened.waitForFigure('Hit ratio', '80%');
    expect(await opened.textOf('#no-activity')).toBe('Nothing was invalidated lately.');
    const slider = opened.page.getByRole('slider', { name: 'Reads a second' });
    const [from, to] = await Promise.all(
      ['aria-valuemin', 'aria-valuemax'].map((name) => slider.getAttribute(name)),
    );
    expect(to).toBe(from);
    await opened.page.getByRole('button', { name: 'Dismiss' }).click();
    expect(await opened.page.locator('#notice').isVisible()).toBe(false);
    expect(opened.problems).toEqual([]);
  });

  it('says while nobody answers that it tries again, and comes back with what it missed', async () => {
    const opened = await fixture.openLive();

    await fixture.server.close();
    await opened.waitUntilConnection('Reconnecting…');
    const history = [dashboardSample(NOW + 9_000, { entries: 77 })];
    fixture.server.hello = dashboardHello({ history, now: NOW + 9_000 });
    await fixture.server.resume();

    await opened.waitUntilConnection('Live');
    await opened.waitForFigure('Entries', '77');
    expect(await opened.page.locator('#notice').isVisible()).toBe(false);
  });

  it.each([
    [
      503,
      'There are 16 viewers already.',
      /^The server answered 503: There are 16 viewers already\. Trying again/,
    ],
    [401, '', /^The server answered 401\. Trying again in about 2 s\.$/],
  ])('says why it is refused with %p, and tries again by itself', async (status, message, text) => {
    const opened = await fixture.openLive({ hasClock: true });
    fixture.server.refusal = { status, message };

    fixture.server.drop();
    await opened.page.locator('#refusal p').filter({ hasText: text }).waitFor();
    await opened.waitUntilConnection('Not connected');
    fixture.server.refusal = undefined;
    await opened.page.clock.runFor(4_000);

    await opened.waitUntilConnection('Live');
    expect(await opened.page.locator('#refusal').isVisible()).toBe(false);
  });

  it('waits longer after each refusal, and tries at once when it is told to', async () => {
    fixture.server.refusal = { status: 503, message: 'Full' };
    const opened = await fixture.open({ hasClock: true });
    const refusal = opened.page.locator('#refusal-retry');
    for (const seconds of [2, 4, 8, 16, 32]) {
      await refusal.filter({ hasText: `about ${seconds} s.` }).waitFor();
      await opened.page.clock.runFor(1_500 * seconds);
    }
    await refusal.filter({ hasText: 'about 60 s.' }).waitFor();
    fixture.server.refusal = undefined;

    await opened.page.getByRole('button', { name: 'Try now' }).click();

    await opened.waitUntilLive();
    // Its button is gone: who used it goes on reading where the figures are.
    expect(await opened.page.evaluate('document.activeElement.id')).toBe('figures');
  });

  it('gives up a stream that went silent, for a new one', async () => {
    const opened = await fixture.openLive({ hasClock: true });
    fixture.server.hello = dashboardHello({ history: [dashboardSample(NOW, { entries: 55 })] });

    await opened.page.clock.runFor(30_000);

    await opened.waitForFigure('Entries', '55');
    expect(opened.problems).toEqual([]);
  });

  it('shows nothing while it is hidden, and leaves its place to others in the end', async () => {
    const opened = await fixture.openLive({ hasClock: true });
    await opened.setHidden(true);
    const history = [dashboardSample(NOW + 1_000, { entries: 66 })];
    fixture.server.send('sample', history[0]);
    // This it does show, and so it has heard the sample.
    fixture.server.send('hello', dashboardHello({ version: 'after the sample', history }));
    await opened.waitForText('#version', 'after the sample');
    const shown = await opened.figure('Entries').innerText();

    const left = fixture.server.untilAllLeft();
    await opened.page.clock.runFor(FIVE_MINUTES);
    await opened.waitUntilConnection('Paused');
    await left;
    fixture.server.hello = dashboardHello({ history: [dashboardSample(NOW, { entries: 88 })] });
    await opened.setHidden(false);

    await opened.waitUntilConnection('Live');
    await opened.waitForFigure('Entries', '88');
    expect(shown).toBe('20.5K');
    expect(opened.problems).toEqual([]);
  });
});
