import assert from 'node:assert/strict';

for (const path of ['dist/index.js', 'dist/errors.js', 'lib/index.ts']) {
  await assert.rejects(
    import(`nestjs-cache-hierarchy/${path}`),
    { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' },
    `${path} can be imported`,
  );
}
