import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';

// What the peers do when they are imported is done before the first look.
await import('reflect-metadata');
await import('rxjs');
await import('@nestjs/common');
await import('@nestjs/core');
await import('@nestjs/config');

/** Everything an import could leave behind in the process. */
const look = () => ({
  globals: Reflect.ownKeys(globalThis).map(String).toSorted(),
  builtIns: [Object, Array, Function, Map, Set, Promise, Error, Reflect]
    .flatMap((builtIn) => [builtIn, builtIn.prototype ?? {}])
    .flatMap((object) => Reflect.ownKeys(object).map(String)),
  listeners: process.eventNames().map((name) => `${String(name)} ${process.listenerCount(name)}`),
  environment: { ...process.env },
});

const STARTED = new Set(['Timeout', 'Immediate', 'WORKER', 'TCPWRAP', 'MESSAGEPORT']);
const started = [];
createHook({ init: (_id, type) => STARTED.has(type) && started.push(type) }).enable();
const before = look();

await import('nestjs-cache-hierarchy');

assert.deepEqual(look(), before);
assert.deepEqual(started, [], 'the import started something');
