import type { Reply } from './level-calls.js';

interface Answer<A> {
  readonly reply: Promise<Reply<A | undefined>>;
  readonly resolve: (reply: Reply<A | undefined>) => void;
}

/**
 * Gathers what is asked of a level key by key, and sends it as one call when the step in which the
 * first was asked is over, with what follows from it at once: many keys cost one round trip.
 */
export class CallBatch<I, A> {
  readonly #send: (items: ReadonlyMap<string, I>) => Promise<Reply<Map<string, A>>>;
  #items = new Map<string, I>();
  #answers = new Map<string, Answer<A>>();

  /** @param send never rejects */
  constructor(send: (items: ReadonlyMap<string, I>) => Promise<Reply<Map<string, A>>>) {
    this.#send = send;
  }

  /** Returns what the call says of this key; whoever asks for the same key gets the same reply. */
  add(key: string, item: I): Promise<Reply<A | undefined>> {
    const before = this.#answers.get(key);
    if (before !== undefined) return before.reply;
    if (this.#items.size === 0) void this.#sendSoon();
    const answer = newAnswer<A>();
    this.#items.set(key, item);
    this.#answers.set(key, answer);
    return answer.reply;
  }

  async #sendSoon(): Promise<void> {
    for (let tick = 0; tick < TICKS; tick++) await SETTLED;
    const [items, answers] = [this.#items, this.#answers];
    this.#items = new Map();
    this.#answers = new Map();
    const reply = await this.#send(items);
    for (const [key, { resolve }] of answers) {
      if (reply.state !== 'answered') resolve(reply);
      else resolve({ state: 'answered', answer: reply.answer.get(key) });
    }
  }
}

/** How many rounds of settled promises a step goes on: what one loader brought comes in within a few. */
const TICKS = 3;
const SETTLED = Promise.resolve();

function newAnswer<A>(): Answer<A> {
  let resolve: Answer<A>['resolve'];
  const reply = new Promise<Reply<A | undefined>>((settle) => {
    resolve = settle;
  });
  return { reply, resolve: resolve! };
}
