import { defineConfig, defineTransformation, RetriableError } from '@millrace/sdk'

/** Throws a retriable error for values that say so: `retry N` for so many times, `retry` always; and another for `throw`. */
export default defineTransformation({
  name: 'Flaky',
  version: '1.0.0',
  doc: 'Fails for values that say so.',
  config: defineConfig({}),
  create: () => {
    let tries = 0
    return {
      apply(record) {
        const value = String(record.value)
        if (value === 'throw') throw new Error('not wanted')
        if (value === 'retry' || (value.startsWith('retry ') && tries++ < Number(value.slice(6)))) {
          throw new RetriableError('not yet')
        }
        return record
      },
    }
  },
})
