import { trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { CacheHierarchy } from 'nestjs-cache-hierarchy';
import { instrumentCaches } from 'nestjs-cache-hierarchy/opentelemetry';

const exporter = new InMemorySpanExporter();
const spanProcessors = [new SimpleSpanProcessor(exporter)];
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));

const cache = new CacheHierarchy();
const stop = instrumentCaches({ places: cache });
await cache.getOrSet('1', async () => 'Lisbon');
await cache.getOrSet('1', async () => 'Lisbon');

const [span, ...others] = exporter.getFinishedSpans();
console.log(span?.name, span?.attributes['cache.name'], others.length); // cache load places 0
stop();
await cache.close();
trace.disable();
