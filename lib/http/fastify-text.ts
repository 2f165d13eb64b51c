import { isSameData } from './response-body.js';

/** What of a reply of Fastify has to do with how its body becomes text. */
export interface FastifyReply {
  readonly request: {
    readonly routeOptions?: { readonly schema?: { readonly response?: unknown } };
  };
  send: (payload: unknown) => unknown;
  serialize(payload: unknown): unknown;
  /** `null` takes the serializer of this reply away again. */
  serializer(serialize: ((payload: unknown) => unknown) | null): unknown;
  hasHeader(name: string): boolean;
  header(name: string, value: string): unknown;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * The text that Fastify makes of one stored body. A body that is sent again and again is written as JSON
 * once, which takes longer than all else that there is to a hit.
 */
export class FastifyText {
  readonly #body: object;
  #text: string | undefined;
  /** Whether the route's replies come to nothing but the JSON of their bodies; `undefined` until one was seen. */
  #isPlain: boolean | undefined;

  constructor(body: object) {
    this.#body = body;
  }

  /**
   * Has a reply send the text for a copy of the body, if that is what it comes to send. Whatever else it is
   * given, also a copy that an interceptor or a hook has changed, goes Fastify's own way, as does everything
   * where the application has a say in how a body is written.
   */
  offer(reply: FastifyReply, copy: object): void {
    const { send } = reply;
    reply.send = (payload) => {
      if (payload === copy && this.#mayStandFor(reply)) this.#standFor(reply, copy);
      return send.call(reply, payload);
    };
  }

  #mayStandFor(reply: FastifyReply): boolean {
    this.#isPlain ??= reply.request.routeOptions?.schema?.response === undefined;
    return this.#isPlain && !hasSerializer(reply) && !reply.hasHeader('content-type');
  }

  #standFor(reply: FastifyReply, copy: object): void {
    // What Fastify sets for an object only where no serializer is set.
    reply.header('content-type', JSON_TYPE);
    reply.serializer((payload) => {
      reply.serializer(null);
      const isOurs = payload === copy && isSameData(copy, this.#body);
      return isOurs ? this.#write(reply, copy) : reply.serialize(payload);
    });
  }

  #write(reply: FastifyReply, copy: object): unknown {
    if (this.#text !== undefined) return this.#text;
    const text = reply.serialize(copy);
    // The application's default serializer may make something else of it, and something else each time.
    this.#isPlain = text === JSON.stringify(copy);
    if (this.#isPlain) this.#text = text as string;
    return text;
  }
}

let serializerKey: symbol | undefined;

/** Whether somebody has set a serializer for this reply, which Fastify tells nowhere else. */
function hasSerializer(reply: FastifyReply): boolean {
  serializerKey ??= Object.getOwnPropertySymbols(reply).find(
    ({ description }) => description === 'fastify.reply.serializer',
  );
  if (serializerKey === undefined) return true;
  return (reply as unknown as Record<symbol, unknown>)[serializerKey] !== null;
}
