import { expect, test } from 'vitest'
import { parseConnectorFile } from '../../../src/cli/connector-file.ts'

test.each([
  ['a create request', '{"name":"c","config":{"a":"1","n":2},"initial_state":"paused"}', { a: '1', n: '2' }, 'PAUSED'],
  ['a flat map', '{"name":"c","a":"1","flag":true}', { name: 'c', a: '1', flag: 'true' }, 'STARTED'],
  ['properties', 'name=c\na = 1\n', { name: 'c', a: '1' }, 'STARTED'],
  ['a flat map with a key config', '{"name":"c","config":"x"}', { name: 'c', config: 'x' }, 'STARTED'],
])('%s is read', (_form, text, config, initialState) => {
  expect(parseConnectorFile('f', text)).toEqual({ name: 'c', config, initialState })
})

test.each([
  ['{"config":{}}', 'needs `name`'],
  ['{"a":"1"}', 'has no `name`'],
  ['{"name":"c","config":{},"initial_state":"x"}', '`initial_state`'],
  ['{"name":"c", secret', 'starts like JSON and is none'],
  ['{"name":"c","config":{"a":[]}}', 'value of `a`'],
  ['a=\\u12', 'uxxxx'],
])('%s is refused', (text, message) => {
  expect(() => parseConnectorFile('file.json', text)).toThrow(message)
  expect(() => parseConnectorFile('file.json', text)).toThrow('file.json')
})
