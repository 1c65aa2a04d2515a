import { createHash } from 'node:crypto'
import { schemas, struct } from '@millrace/sdk'
import { describeTransform } from '@millrace/testkit'
import transform from '../src/transform.ts'

const hashed = (text: string): string => createHash('sha256').update(`salt${text}`).digest('hex')
const user = struct({ name: schemas.string, email: schemas.optional.string })

// What every transform has to stand: any record, with and without schema, and records without a value.
describeTransform(transform, {
  packageFile: new URL('../package.json', import.meta.url),
  config: { fields: 'email', salt: 'salt' },
  samples: [
    {
      record: { value: { name: 'Ada', email: 'ada@example.org' }, valueSchema: user },
      becomes: { value: { name: 'Ada', email: hashed('ada@example.org') }, valueSchema: user },
    },
    { record: { value: { email: 'a@b' } }, becomes: { value: { email: hashed('a@b') } } },
    { record: { value: { name: 'Ada', email: null } }, becomes: { value: { name: 'Ada', email: null } } },
    { record: { value: { name: 'Ada' } }, becomes: { value: { name: 'Ada' } } },
    { record: { value: null }, becomes: { value: null } },
  ],
  invalid: [{ config: { fields: '' }, key: 'fields' }],
})
