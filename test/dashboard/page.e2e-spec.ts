import { expect, it } from '@jest/globals';
import { cacheDetail, dashboardHello, dashboardSample, NOW } from './page-data.js';
import { describePage } from './page-fixture.js';

describePage('shows what the server tells', (fixture) => {
  it.each(['', '/', '/?cache=default'])('shows true figures at its path and %p', async (path) => {
    const opened = await fixture.openLive({ path });

    const [names, values] = await Promise.all([
      opened.page.locator('#headline dt').allInnerTexts(),
      opened.page.locator('#headline .value').allInnerTexts(),
    ]);
    expect(names).toEqual([
      'Hit ratio',
      'Reads a second',
      'Loads a second',
      'Time saved',
      'Entries',
      'Health',
    ]);
    expect(values.slice(1)).toEqual(['200', '9', '5\u00a0min 59\u00a0s', '20.5K', 'Up']);
    expect(await opened.textOf('#version')).toBe('0.1.0');
    expect(opened.problems).toEqual([]);
  });

  it('tells how many reads each level answered and what that saved', async () => {
    const opened = await fixture.openLive();

    await opened.page.getByRole('radio', { name: 'Overall' }).check();

    const steps = await opened.page.locator('#flow-steps li').allInnerTexts();
    expect(steps.map((step) => step.replaceAll(/\s+/g, ' '))).toEqual([
      'L1 70% 7,000 answered at once; saved 4 min 40 s of loading',
      'L2 15% 1,500 answered at once; saved 1 min of loading',
      'remote 5% 500 answered in 2 ms each; saved 19 s of loading',
      'Loader 10% 1,000 reads found in no level, 40 ms a load',
    ]);
    const bar = opened.page.locator('#flow-steps li').nth(1).locator('.stream');
    expect(await bar.evaluate((element) => element.getAttribute('style'))).toBe(
      '--reach: 30%; --answered: 15%;',
    );
    expect(opened.problems).toEqual([]);
  });

  it('shows latency, misses, levels, shards, keys, invalidations and advice', async () => {
    const opened = await fixture.openLive();

    expect(await opened.textOf('#latency article:first-child .figures')).toBe(
      'p50 ≈ 24.5 ms p95 ≈ 94.6 ms p99 ≈ 184 ms mean 40 ms count 900 sum 36 s',
    );
    expect(await opened.textOf('#misses li:first-child')).toBe(
      'absent 60% · 600 was not there, or nobody remembers why',
    );
    expect(await opened.textOf('#levels article:nth-child(3)')).toContain('failures 2 timeouts 1');
    expect(await opened.textOf('#coherence-figures')).toContain(
      'known to arrive lag 4 ms missed 0',
    );
    expect(await opened.textOf('#shards article:first-child')).toContain('in 16 shards');
    expect(await opened.textOf('#hot-keys tr:first-child')).toContain('14.2% 2,000');
    expect(await opened.textOf('#activity li:first-child')).toBe(
      'Expired sha256:77aa01bc93de 20 seconds ago',
    );
    expect(await opened.textOf('#advice')).toContain('Set softTimeout.');
    expect(opened.problems).toEqual([]);
  });

  it('switches the heat map between figures, and has all of them in a table', async () => {
    const opened = await fixture.openLive();

    await opened.page.getByRole('radio', { name: 'lock waits' }).check();
    await opened.page.getByText('All figures as a table').first().click();

    expect(await opened.textOf('#shards article:first-child .note')).toMatch(/^8 lock waits in 16/);
    const table = opened.page.getByRole('table', { name: 'Shards of L1' });
    expect(await table.getByRole('row').count()).toBe(17);
    expect(await table.getByRole('row').nth(4).innerText()).toMatch(/^3\t.*\t4$/);
    expect(opened.problems).toEqual([]);
  });

  it('follows what happens', async () => {
    const opened = await fixture.openLive();
    const burst = { reads: 1_200, hits: 1_200, entries: 321 };

    fixture.server.send('activity', {
      at: NOW,
      cache: 'default',
      kind: 'tags',
      what: 'price',
      count: 3,
    });
    for (let second = 1; second <= 60; second++) {
      fixture.server.send('sample', dashboardSample(NOW + second * 1_000, burst));
    }
    const ill = cacheDetail({ health: 'degraded' });
    fixture.server.send('sample', dashboardSample(NOW + 61_000, burst, ill));

    await opened.waitForFigure('Health', 'Degraded');
    await opened.waitForFigure('Hit ratio', '100%');
    await opened.waitForFigure('Reads a second', '1,200');
    await opened.waitForFigure('Entries', '321');
    expect(await opened.textOf('#as-of')).toBe('14:04:28');
    expect(await opened.textOf('#activity li:first-child')).toBe(
      'Tags price 3 invalidations 1 minute ago',
    );
    expect(await opened.page.title()).toBe('degraded – Cache dashboard');
    const slider = opened.page.getByRole('slider', { name: 'Reads a second' });
    expect(await slider.getAttribute('aria-valuetext')).toBe('14:04:28: 1,200 reads, 1,200 hits');
    expect(opened.problems).toEqual([]);
  });

  it('shows another cache, and the same after a reload', async () => {
    const opened = await fixture.openLive();

    await opened.page.getByRole('combobox', { name: 'Cache' }).selectOption('sessions');
    await opened.waitForFigure('Entries', '12');
    await opened.page.reload();
    await opened.waitUntilLive();

    await opened.waitForFigure('Entries', '12');
    expect(await opened.page.locator('#advice-section').isVisible()).toBe(false);
    expect(await opened.textOf('#activity')).toContain('sha256:123456789abc');
    expect(opened.problems).toEqual([]);
  });

  it('says when a cache is switched off, and when there is none', async () => {
    const [info] = dashboardHello().caches;
    fixture.server.hello = dashboardHello({ caches: [{ ...info!, active: false }] });
    const opened = await fixture.openLive();
    const isSaid = await opened.page.getByText('This cache is switched off').isVisible();

    fixture.server.send('hello', dashboardHello({ caches: [], history: [] }));

    await opened.waitForText('#waiting', 'This application has no cache.');
    expect(isSaid).toBe(true);
    expect(opened.problems).toEqual([]);
  });

  it('does not grow while it is open', async () => {
    const opened = await fixture.openLive();
    const sizeOfPage = 'document.querySelectorAll("*").length';
    const before = await opened.page.evaluate(sizeOfPage);

    for (let second = 1; second <= 300; second++) {
      fixture.server.send('sample', dashboardSample(NOW + second * 1_000, { entries: second }));
    }

    await opened.waitForFigure('Entries', '300');
    expect(await opened.page.evaluate(sizeOfPage)).toBe(before);
    expect(opened.problems).toEqual([]);
  });

  it('takes keys, tags and messages for text, however they look and however long they are', async () => {
    const evil = '<script>window.broken = 1</script><img src=x onerror="window.broken = 1">';
    const long = `${evil}${'x'.repeat(1_000 - evil.length)}`;
    const hot = [evil, long, '"><svg onload=alert(1)>', '\u202eabc', '{{constructor}}'];
    fixture.server.hello = dashboardHello({
      revealsKeys: true,
      version: evil,
      history: [
        dashboardSample(
          NOW,
          {},
          cacheDetail({
            hotKeys: hot.map((label) => ({ label, share: 0.2, hits: 1 })),
            missReasons: { [evil]: 1 },
          }),
        ),
      ],
      activity: [{ at: NOW, cache: 'default', kind: 'delete', what: long, count: 1 }],
      caches: [
        {
          name: 'default',
          active: true,
          levels: ['L1', 'L2', 'remote'],
          advice: [{ code: evil, message: long }],
        },
      ],
    });

    const opened = await fixture.openLive({ width: 360 });

    expect(await opened.textOf('#hot-keys tr:first-child th')).toBe(evil);
    const cut = opened.page.locator('#hot-keys tr:nth-child(2) th');
    expect(await cut.getAttribute('title')).toBe(long);
    expect((await cut.innerText()).length).toBe(120);
    expect(await opened.page.evaluate('window.broken')).toBeUndefined();
    expect(await opened.page.locator('main script, main img').count()).toBe(0);
    expect(await opened.page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    expect(opened.problems).toEqual([]);
  });
});
