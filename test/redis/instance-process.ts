import { Instance, type InstanceOptions } from './instance.js';

/* An instance in a process of its own: it does what its parent says, and ends with it. */

/** What the parent asks for. */
export interface Request {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

export interface Response {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

let instance: Instance | undefined;

async function answer({ method, args }: Request): Promise<unknown> {
  if (method === 'open') {
    instance = await Instance.open(args[0] as InstanceOptions);
    return undefined;
  }
  const member: unknown = Reflect.get(instance!, method);
  if (typeof member !== 'function') return member;
  return (await Reflect.apply(member, instance, args)) as unknown;
}

process.on('message', (request: Request) => {
  answer(request).then(
    (value) => process.send!({ id: request.id, value }),
    (error: unknown) => process.send!({ id: request.id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
process.send!({ id: 0 });
