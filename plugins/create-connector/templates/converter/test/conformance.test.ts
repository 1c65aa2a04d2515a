import { schemas, struct } from '@millrace/sdk'
import { describeConverter } from '@millrace/testkit'
import converter from '../src/converter.ts'

const user = struct({ name: schemas.string, age: schemas.int32, note: schemas.optional.string })

// What every converter has to stand: data that it cannot write, bytes that it did not write, nulls.
describeConverter(converter, {
  packageFile: new URL('../package.json', import.meta.url),
  config: {},
  samples: [
    { schema: null, value: {} },
    { schema: null, value: { level: 'info', text: 'two words', quoted: 'a "word" = 1\n', empty: '' } },
    { schema: user, value: { name: 'Ada', age: 36, note: null }, back: { name: 'Ada', age: '36' } },
  ],
  misfits: [
    { schema: schemas.string, value: 'text' },
    { schema: null, value: { list: [1] } },
    { schema: null, value: { 'a name': 'x' } },
  ],
})
