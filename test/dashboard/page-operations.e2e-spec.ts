import { beforeEach, expect, it } from '@jest/globals';
import { dashboardHello } from './page-data.js';
import { describePage } from './page-fixture.js';
import type { OpenedPage } from './opened-page.js';

describePage('and its operations', (fixture) => {
  beforeEach(() => {
    fixture.server.hello = dashboardHello({ mutations: true });
  });

  async function waitForResult(opened: OpenedPage, text: string): Promise<void> {
    await opened.waitForText('#operation-result', text);
  }

  it('are not there where the application does not allow them', async () => {
    fixture.server.hello = dashboardHello();

    const opened = await fixture.openLive();

    expect(await opened.page.locator('#operations-section').isVisible()).toBe(false);
  });

  it('delete a key, and say so', async () => {
    const opened = await fixture.openLive();

    await opened.page.locator('#key').fill('user:1 <b>');
    await opened.page.locator('#key-namespace').fill('orders > eu');
    await opened.page.getByRole('button', { name: 'Delete' }).click();

    await waitForResult(opened, 'Deleted “user:1 <b>”.');
    const [asked] = fixture.server.asked;
    expect(asked).toMatchObject({
      action: 'delete',
      headers: { 'content-type': 'application/json', 'x-cache-dashboard': '1' },
      body: { cache: 'default', key: 'user:1 <b>', namespace: ['orders', 'eu'] },
    });
    expect(opened.problems).toEqual([]);
  });

  it('inspect a key, and show what each level has of it', async () => {
    const value = '<img src=x onerror="window.broken = 1">';
    fixture.server.answer = {
      status: 200,
      body: {
        ok: true,
        entries: [
          {
            level: 'L1',
            stale: false,
            freshForMs: 90_000,
            keptForMs: null,
            ageMs: null,
            tags: [],
            value,
          },
          {
            level: 'L2',
            stale: true,
            freshForMs: 0,
            keptForMs: 5_000,
            ageMs: 61_000,
            tags: ['a', 'b'],
            value: '1',
          },
        ],
      },
    };
    const opened = await fixture.openLive();

    await opened.page.locator('#key').fill('user:1');
    await opened.page.locator('#key').press('Enter');

    await waitForResult(opened, 'Found 2 copies of “user:1”.');
    expect(await opened.textOf('#inspected article:first-child')).toBe(
      `L1 state fresh fresh for 1 min 30 s kept for ever age – tags – ${value}`,
    );
    expect(await opened.textOf('#inspected article:last-child')).toContain(
      'age 1 min 1 s tags a, b 1',
    );
    expect(await opened.page.evaluate('window.broken')).toBeUndefined();
    expect(opened.problems).toEqual([]);
  });

  it('say when no level has a key', async () => {
    fixture.server.answer = { status: 200, body: { ok: true, entries: [] } };
    const opened = await fixture.openLive();

    await opened.page.locator('#key').fill('gone');
    await opened.page.getByRole('button', { name: 'Inspect' }).click();

    await waitForResult(opened, 'No level has “gone”.');
    expect(await opened.textOf('#inspected')).toBe('');
  });

  it('invalidate tags, one a line, of the cache that is shown', async () => {
    const opened = await fixture.openLive();
    await opened.page.getByRole('combobox', { name: 'Cache' }).selectOption('sessions');

    await opened.page.locator('#tags').fill('product:42, red\n\n price \n');
    await opened.page.getByRole('button', { name: 'Invalidate tags' }).click();

    await waitForResult(opened, 'Invalidated 2 tags: “product:42, red”, “price”.');
    const [asked] = fixture.server.asked;
    expect(asked).toMatchObject({
      action: 'invalidate-tags',
      body: { cache: 'sessions', tags: ['product:42, red', 'price'] },
    });
  });

  it('clear only what was confirmed', async () => {
    const opened = await fixture.openLive();
    const clear = opened.page.getByRole('button', { name: 'Clear…' });
    const dialog = opened.page.getByRole('dialog', { name: 'Clear the whole cache “default”?' });
    const cancel = dialog.getByRole('button', { name: 'Cancel' });

    await clear.click();
    expect(await cancel.evaluate((button) => button.matches(':focus'))).toBe(true);
    await cancel.press('Enter');
    await dialog.waitFor({ state: 'hidden' });
    await clear.click();
    await opened.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    const askedBefore = fixture.server.asked.length;
    await clear.click();
    await dialog.getByRole('button', { name: 'Clear' }).click();

    await waitForResult(opened, 'Cleared the whole cache “default”.');
    expect(askedBefore).toBe(0);
    expect(fixture.server.asked).toMatchObject([{ action: 'clear', body: { cache: 'default' } }]);
    expect(opened.problems).toEqual([]);
  });

  it('clear a namespace by its name', async () => {
    const opened = await fixture.openLive();

    await opened.page.locator('#clear-namespace').fill('orders/eu');
    await opened.page.getByRole('button', { name: 'Clear…' }).click();
    await opened.page.getByRole('dialog').getByRole('button', { name: 'Clear' }).click();

    await waitForResult(opened, 'Cleared the namespace “orders > eu” of the cache “default”.');
    expect(fixture.server.asked[0]?.body).toEqual({
      cache: 'default',
      namespace: ['orders', 'eu'],
    });
  });

  it('say what the server says against them', async () => {
    fixture.server.answer = { status: 403, body: { message: 'Not from <another> origin.' } };
    const opened = await fixture.openLive();

    await opened.page.locator('#key').fill('user:1');
    await opened.page.getByRole('button', { name: 'Delete' }).click();

    const problem = 'Not done: the server answered 403: Not from <another> origin.';
    await waitForResult(opened, problem);
    expect(await opened.page.locator('#operation-result').getAttribute('data-state')).toBe('bad');
  });
});
