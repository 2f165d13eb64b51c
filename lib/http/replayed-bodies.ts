import { copyAs, formOf, type BodyForm } from './body-form.js';
import { FastifyTexts } from './fastify-texts.js';
import type { HttpExchange } from './http-exchange.js';
import { LiveBody } from './response-body.js';
import type { ResponseSnapshot } from './response-snapshot.js';

/** Gives out stored bodies, and keeps what doing so has shown of them. Nobody else has them: they stay as they are. */
export class ReplayedBodies {
  readonly #forms = new WeakMap<object, { readonly form: BodyForm | undefined }>();
  readonly #texts = new FastifyTexts();

  /** Returns what the handler returned, or a copy of it: interceptors outside may change what they get. */
  replay({ body }: ResponseSnapshot, exchange: Pick<HttpExchange, 'fastifyReply'>): unknown {
    if (typeof body !== 'object' || body === null) return body;
    if (body instanceof LiveBody) return body.value;
    const known = this.#forms.get(body);
    // A body that a level makes anew for each request is known at no time.
    if (known === undefined) {
      const form = formOf(body);
      this.#forms.set(body, { form });
      return copyAs(form, body);
    }
    const copy = copyAs(known.form, body) as object;
    const reply = exchange.fastifyReply;
    if (reply !== undefined) this.#texts.offer(reply, body, copy);
    return copy;
  }
}
