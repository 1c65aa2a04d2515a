import { defineConfig } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import { Redaction, secretValues } from '../../../../src/connect/host/redaction.ts'

const definition = defineConfig({
  pin: { type: 'password', importance: 'high', doc: '' },
  'short.pin': { type: 'password', importance: 'high', doc: '' },
  user: { type: 'string', importance: 'high', doc: '' },
})

describe('secrets', () => {
  it('are the values of password keys and of keys that are called like one', () => {
    const config = {
      pin: 'open sesame',
      'short.pin': 'a',
      user: 'postgres',
      'database.password': 'hunter2',
      'producer.override.sasl.jaas.config': 'module required;',
      topic: 'password-changes',
    }
    expect(secretValues(config, definition)).toEqual(['open sesame', 'hunter2', 'module required;'])
  })

  it('leave in no text and no field, also when one contains the other', () => {
    const redaction = new Redaction()
    redaction.set('a', ['hunter2', 'hunter2-long'])
    redaction.set('b', ['sesame'])
    const line = {
      message: 'login hunter2-long failed',
      fields: { url: 'x:hunter2@y', deep: [{ at: 'sesame' }], n: 1 },
    }
    expect(redaction.data(line)).toEqual({
      message: 'login [hidden] failed',
      fields: { url: 'x:[hidden]@y', deep: [{ at: '[hidden]' }], n: 1 },
    })
    redaction.set('b', [])
    expect(redaction.text('sesame')).toBe('sesame')
  })
})
