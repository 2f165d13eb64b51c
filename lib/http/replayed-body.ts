import { copyAs, formOf, type BodyForm } from './body-form.js';
import { FastifyText } from './fastify-text.js';
import type { HttpExchange } from './http-exchange.js';
import { LiveBody } from './response-body.js';
import type { ResponseSnapshot } from './response-snapshot.js';

/** What replaying a stored body has shown of it. Nobody else has that body, so it stays as it is. */
interface Replays {
  readonly form: BodyForm | undefined;
  /** There from the second time on: a snapshot that a level makes anew for each request has none. */
  text: FastifyText | undefined;
}

const replays = new WeakMap<ResponseSnapshot, Replays>();

/** Returns what the handler returned, or a copy of it: interceptors outside may change what they get. */
export function replayBody(
  snapshot: ResponseSnapshot,
  exchange: Pick<HttpExchange, 'fastifyReply'>,
): unknown {
  const { body } = snapshot;
  if (typeof body !== 'object' || body === null) return body;
  if (body instanceof LiveBody) return body.value;
  const known = replays.get(snapshot);
  if (known === undefined) {
    const form = formOf(body);
    replays.set(snapshot, { form, text: undefined });
    return copyAs(form, body);
  }
  const copy = copyAs(known.form, body) as object;
  const reply = exchange.fastifyReply;
  if (reply !== undefined) (known.text ??= new FastifyText(body)).offer(reply, copy);
  return copy;
}
