import { beforeEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { TicketTable, type Ticket } from '../../lib/memory/tickets.js';

let order: number;
let now: number;
let refused: Set<Ticket>;
let heldUntil: number;
let tickets: TicketTable;

beforeEach(() => {
  order = 5;
  now = 100;
  refused = new Set();
  heldUntil = -Infinity;
  tickets = new TicketTable({
    now: () => now,
    order: () => order,
    admits: (ticket) => !refused.has(ticket),
    heldUntil: () => heldUntil,
  });
});

describe(TicketTable.name, () => {
  it('opens tickets that are valid and say when and for what', () => {
    const ticket = tickets.open('key', 'load', ['tag']);

    expect(ticket).toMatchObject({ key: 'key', kind: 'load', order: 5, openedAt: 100 });
    expect(ticket.tags).toEqual(['tag']);
    expect(tickets.isValid(ticket)).toBe(true);
  });

  it('numbers tickets by the order in which they are opened and made', () => {
    const serials = [
      tickets.open('a', 'load'),
      tickets.make('b', 'write'),
      tickets.open('a', 'write'),
    ].map(({ serial }) => serial);

    expect(serials).toEqual(serials.toSorted((a, b) => a - b));
    expect(new Set(serials).size).toBe(3);
  });

  it('keeps those that were opened until they are closed, and not those that were made', () => {
    const first = tickets.open('key', 'load');
    const second = tickets.open('key', 'write');
    tickets.make('key', 'write');
    const whileOpen = tickets.size;

    tickets.close(first);
    tickets.close(second);

    expect([whileOpen, tickets.size]).toEqual([2, 0]);
  });

  it('closes a ticket once, however often it is asked', () => {
    const closed = tickets.open('key', 'load');
    tickets.open('key', 'load');

    tickets.close(closed);
    tickets.close(closed);

    expect(tickets.size).toBe(1);
  });

  it('takes every ticket of a key away, and no other', () => {
    const load = tickets.open('key', 'load');
    const write = tickets.open('key', 'write');
    const other = tickets.open('other', 'load');

    tickets.fence('key');

    expect([load, write, other].map((ticket) => tickets.isValid(ticket))).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('leaves tickets alone that are opened after the invalidation', () => {
    tickets.open('key', 'load');
    tickets.fence('key');

    expect(tickets.isValid(tickets.open('key', 'load'))).toBe(true);
  });

  it('takes only loads away when a value is stored', () => {
    const load = tickets.open('key', 'load');
    const write = tickets.open('key', 'write');

    tickets.fenceLoads('key');

    expect([tickets.isValid(load), tickets.isValid(write)]).toEqual([false, true]);
  });

  it('takes only loads away that were called before the one that stored', () => {
    const early = tickets.open('key', 'load');
    const stored = tickets.open('key', 'load');
    const late = tickets.open('key', 'load');

    tickets.fenceLoads('key', stored.serial);

    expect([early, stored, late].map((ticket) => tickets.isValid(ticket))).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('reaches exactly the open tickets of a key, in whatever order others were closed', () => {
    const program = fc.array(fc.oneof(fc.constant('open' as const), fc.nat(9)), { maxLength: 30 });
    const reachesTheOpenOnes = (): void =>
      fc.assert(
        fc.property(program, (steps) => {
          const table = new TicketTable({
            now: () => 0,
            order: () => 0,
            admits: () => true,
            heldUntil: () => -Infinity,
          });
          const opened: Ticket[] = [];
          const open = new Set<Ticket>();
          for (const step of steps) {
            if (step === 'open') opened.push(table.open('key', 'load'));
            else if (opened.length > 0) table.close(opened[step % opened.length]!);
            if (step === 'open') open.add(opened.at(-1)!);
            else open.delete(opened[step % opened.length]!);
          }
          const valid = [...open].every((one) => table.isValid(one));
          table.fence('key');
          const ended = [...open].every((one) => !table.isValid(one));
          return valid && ended && table.size === open.size;
        }),
      );

    expect(reachesTheOpenOnes).not.toThrow();
  });

  it('takes away what is older than a write that ended unstored, and every load', () => {
    const earlier = tickets.open('key', 'write');
    const load = tickets.open('key', 'load');
    const unstored = tickets.open('key', 'write');
    const laterLoad = tickets.open('key', 'load');
    const laterWrite = tickets.open('key', 'write');

    tickets.fenceOlder('key', unstored.serial);

    const valid = [earlier, load, unstored, laterLoad, laterWrite].map((one) =>
      tickets.isValid(one),
    );
    expect(valid).toEqual([false, false, true, false, true]);
  });

  it('never gives a right back that was taken away', () => {
    const write = tickets.open('key', 'write');
    const load = tickets.open('key', 'load');
    tickets.fence('key');

    tickets.fenceOlder('key', write.serial);
    tickets.fenceLoads('key', write.serial);

    expect([write, load].map((ticket) => tickets.isValid(ticket))).toEqual([false, false]);
  });

  it('does not give loads a right back that a later store took away', () => {
    const early = tickets.open('key', 'load');
    const late = tickets.open('key', 'load');
    tickets.fenceLoads('key');

    tickets.fenceLoads('key', early.serial);

    expect([early, late].map((ticket) => tickets.isValid(ticket))).toEqual([false, false]);
  });

  it('does not hold a withdrawn ticket for valid', () => {
    const ticket = tickets.open('key', 'load');
    ticket.withdrawn = true;

    expect(tickets.isValid(ticket)).toBe(false);
  });

  it('takes every ticket away when everything is cleared', () => {
    const open = [tickets.open('a', 'load'), tickets.open('b', 'write')];

    tickets.fenceAll();

    expect(open.map((ticket) => tickets.isValid(ticket))).toEqual([false, false]);
  });

  it('asks its owner whether tags and namespaces still hold', () => {
    const ticket = tickets.open('key', 'load', ['tag']);

    refused.add(ticket);

    expect(tickets.isValid(ticket)).toBe(false);
  });

  it('tells the order of the oldest ticket under way', () => {
    const none = tickets.oldest?.order;
    const first = tickets.open('a', 'load');
    order = 6;
    tickets.open('b', 'load');
    const oldest = tickets.oldest?.order;

    tickets.close(first);

    expect([none, oldest, tickets.oldest?.order]).toEqual([undefined, 5, 6]);
  });

  it('ignores invalidations of keys that nothing is under way for', () => {
    tickets.fence('key');
    tickets.fenceLoads('key');

    expect(tickets.size).toBe(0);
  });

  it('stores nothing that began before a hold had passed, but what is written', () => {
    heldUntil = 110;
    const during = [tickets.open('key', 'load'), tickets.open('key', 'promotion')];
    const written = tickets.open('key', 'write');
    const [stored, joined] = [
      during.map((one) => tickets.isValid(one)),
      tickets.isJoinable(during[0]!),
    ];
    now = 110;
    const after = tickets.open('key', 'load');

    expect([stored, joined]).toEqual([[false, false], true]);
    expect([tickets.isJoinable(during[0]!), tickets.stands(during[0]!)]).toEqual([false, true]);
    expect([tickets.isValid(written), tickets.isValid(after)]).toEqual([true, true]);
  });

  it('stores no load and no promotion while a written value is on its way', () => {
    const load = tickets.open('key', 'load');
    const promotion = tickets.open('key', 'promotion');
    const write = tickets.open('key', 'write');
    const wrote = tickets.beginWriting(write);
    const meanwhile = [load, promotion, write].map((one) => tickets.isValid(one));

    expect(meanwhile).toEqual([false, false, true]);
    expect(tickets.isJoinable(load)).toBe(true);
    wrote();
    expect(tickets.isValid(load)).toBe(true);
  });

  it('takes promotions away when any value was stored, whichever was called first', () => {
    const load = tickets.open('key', 'load');
    const promotion = tickets.open('key', 'promotion');
    tickets.fenceLoads('key', load.serial);

    expect([tickets.isValid(load), tickets.isValid(promotion)]).toEqual([true, false]);
  });
});
