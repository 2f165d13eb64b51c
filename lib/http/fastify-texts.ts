import { isSameData } from './response-body.js';

type Serialize = (payload: unknown) => unknown;

/** What of a reply of Fastify has to do with how its body becomes text. */
export interface FastifyReply {
  readonly server: object;
  readonly request: {
    readonly routeOptions?: { readonly schema?: { readonly response?: unknown } };
  };
  send: (payload: unknown) => unknown;
  serialize: Serialize;
  /** `null` takes the serializer of this reply away again. */
  serializer(serialize: Serialize | null): unknown;
  hasHeader(name: string): boolean;
  header(name: string, value: string): unknown;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** Together they have no more characters than these: when there would be more, all are forgotten. */
const MAX_CHARACTERS = 32 * 2 ** 20;

/**
 * The texts that Fastify has made of stored bodies. A body that is sent again and again is written as JSON
 * once, which takes longer than all else that there is to a hit.
 */
export class FastifyTexts {
  readonly #maxCharacters: number;
  #texts = new WeakMap<object, string>();
  #characters = 0;

  constructor(maxCharacters = MAX_CHARACTERS) {
    this.#maxCharacters = maxCharacters;
  }

  /**
   * Has a reply send the text of a body for a copy of it, if that is what it comes to send. Whatever else it
   * is given, also a copy that an interceptor or a hook has changed, goes Fastify's own way, as does
   * everything where the application has a say in how a body is written or sent.
   */
  offer(reply: FastifyReply, body: object, copy: object): void {
    if (Object.hasOwn(reply, 'send')) return;
    const { send } = reply;
    const serialize: Serialize = (payload) => {
      reply.serializer(null);
      const isOurs = payload === copy && isSameData(copy, body);
      return isOurs ? this.#textOf(body, reply) : reply.serialize(payload);
    };
    reply.send = (payload) => {
      if (payload === copy && isWrittenAsJson(reply)) {
        // What Fastify sets for an object only where no serializer is set.
        reply.header('content-type', JSON_TYPE);
        reply.serializer(serialize);
      } else if (serializerOf(reply) === serialize) {
        // A hook has failed, and what is sent tells of that.
        reply.serializer(null);
      }
      return send.call(reply, payload);
    };
  }

  #textOf(body: object, reply: FastifyReply): string {
    const known = this.#texts.get(body);
    if (known !== undefined) return known;
    const text = reply.serialize(body) as string;
    this.#characters += text.length;
    if (this.#characters > this.#maxCharacters) {
      this.#texts = new WeakMap();
      this.#characters = text.length;
    }
    if (text.length <= this.#maxCharacters) this.#texts.set(body, text);
    return text;
  }
}

/** Whether Fastify would send nothing but the JSON of an object, as such. */
function isWrittenAsJson(reply: FastifyReply): boolean {
  return (
    serializerOf(reply) === null &&
    defaultSerializerOf(reply) === null &&
    !reply.hasHeader('content-type') &&
    reply.request.routeOptions?.schema?.response === undefined
  );
}

// Fastify tells of serializers under symbols of its own alone. Where they are not known, there may be some.
let ofReply: symbol | undefined;
let ofServer: symbol | undefined;

function serializerOf(reply: FastifyReply): unknown {
  ofReply ??= symbolIn(reply, 'fastify.reply.serializer');
  return ofReply && (reply as unknown as Record<symbol, unknown>)[ofReply];
}

function defaultSerializerOf({ server }: FastifyReply): unknown {
  ofServer ??= symbolIn(server, 'fastify.replySerializerDefault');
  return ofServer && (server as Record<symbol, unknown>)[ofServer];
}

function symbolIn(object: object, description: string): symbol | undefined {
  const own = Object.getOwnPropertySymbols(object).find((one) => one.description === description);
  const parent: unknown = Object.getPrototypeOf(object);
  return own ?? (parent === null ? undefined : symbolIn(parent as object, description));
}
