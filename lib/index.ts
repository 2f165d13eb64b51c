export * from './durations.js';
