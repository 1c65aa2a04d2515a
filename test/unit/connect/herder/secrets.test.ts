import { expect, test } from 'vitest'
import { realClock } from '../../../../src/base/real/index.ts'
import type { ConfigKeyInfo } from '../../../../src/connect/config/config-infos.ts'
import { restoreHidden, scrub, Secrets } from '../../../../src/connect/herder/secrets.ts'
import { SimClock } from '../../../simulation/sim-clock.ts'

const keys = (names: Record<string, ConfigKeyInfo['type']>) =>
  Promise.resolve(Object.entries(names).map(([name, type]) => ({ name, type }) as ConfigKeyInfo))

const secrets = new Secrets((className) => {
  if (className === 'Source') return keys({ login: 'PASSWORD', user: 'STRING' })
  if (className === 'Smt') return keys({ salt: 'PASSWORD' })
  if (className === 'Broken') return Promise.reject(new Error('cannot be imported'))
  return null
}, realClock)

test('values of type PASSWORD are hidden, of the connector and of what it names', async () => {
  const config = {
    'connector.class': 'Source',
    login: 'a',
    user: 'b',
    transforms: 't',
    'transforms.t.type': 'Smt',
    'transforms.t.salt': 'c',
  }
  expect(await secrets.mask(config)).toEqual({ ...config, login: '[hidden]', 'transforms.t.salt': '[hidden]' })
})

test.each([
  'database.password',
  'connection.password',
  'producer.override.sasl.jaas.config',
  'consumer.override.ssl.keystore.key',
  'aws.secret',
  'api.key',
  'apiKey',
])('%s is hidden although no definition says so', async (key) => {
  expect(await secrets.mask({ 'connector.class': 'Nobody', [key]: 'x' })).toHaveProperty([key], '[hidden]')
})

test.each(['key.converter', 'key.fields', 'message.key.columns', 'secretary', 'ssl.keystore.location'])(
  '%s is shown',
  async (key) => {
    expect(await secrets.mask({ 'connector.class': 'Source', [key]: 'x' })).toHaveProperty([key], 'x')
  },
)

test('a reference to a config provider is answered as written', async () => {
  const config = { 'connector.class': 'Source', login: '${file:/run/secrets:login}' }
  expect(await secrets.mask(config)).toEqual(config)
})

test('when a plugin cannot say what is secret, only what is known to be harmless is shown', async () => {
  const config = { name: 'c', 'connector.class': 'Broken', 'tasks.max': '1', odd: 'x' }
  expect(await secrets.mask(config)).toEqual({ ...config, odd: '[hidden]' })
})

test('a plugin that never answers does not hold up an answer for ever', async () => {
  const clock = new SimClock()
  const hanging = new Secrets(() => new Promise(() => {}), clock)
  const masked = await clock.settle(hanging.mask({ 'connector.class': 'Hangs', odd: 'x' }))
  expect(masked.odd).toBe('[hidden]')
})

test('a mask that comes back means the stored value', () => {
  expect(restoreHidden({ a: '[hidden]', b: '2' }, { a: '1', b: '1' })).toEqual({ a: '1', b: '2' })
  expect(restoreHidden({ a: '[hidden]' }, null)).toEqual({ a: '[hidden]' })
  expect(restoreHidden({ a: '[hidden]' }, {})).toEqual({ a: '[hidden]' })
})

test('secret values are taken out of texts', () => {
  expect(scrub('postgres://u:tiger@h failed for tiger', ['tiger', ''])).toBe(
    'postgres://u:[hidden]@h failed for [hidden]',
  )
})
