import { readFileSync } from 'node:fs'
import { sdkVersion } from '@millrace/sdk'
import { expect, test } from 'vitest'

test('the version that plugins are held against is that of the package', () => {
  const packageJson = new URL('../../../plugins/sdk/package.json', import.meta.url)
  expect(JSON.parse(readFileSync(packageJson, 'utf8'))).toMatchObject({ name: '@millrace/sdk', version: sdkVersion })
})
