import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { onAbort } from '../../lib/memory/abort-listeners.js';

let controller: AbortController;
let ran: string[];

beforeEach(() => {
  controller = new AbortController();
  ran = [];
});

function listen(name: string): () => void {
  return onAbort(controller.signal, () => ran.push(name));
}

describe(onAbort.name, () => {
  it('runs everything once when the signal is aborted', () => {
    listen('a');
    listen('b');
    const before = [...ran];

    controller.abort();
    controller.abort();

    expect([before, ran]).toEqual([[], ['a', 'b']]);
  });

  it('does not run what was forgotten, before or while the signal is aborted', () => {
    const forgetA = listen('a');
    onAbort(controller.signal, () => forgetC());
    const forgetC = listen('c');
    listen('d');
    forgetA();
    forgetA();

    controller.abort();

    expect(ran).toEqual(['d']);
  });

  it('puts one listener on each signal', () => {
    for (let index = 0; index < 100; index++) listen(`${index}`);

    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
  });

  it('keeps the signals apart', () => {
    const other = new AbortController();
    listen('this');
    onAbort(other.signal, () => ran.push('other'));

    other.abort();

    expect(ran).toEqual(['other']);
  });

  it('listens again after everything was forgotten', () => {
    listen('a')();
    listen('b');

    controller.abort();

    expect(ran).toEqual(['b']);
  });
});
