import { mapOf, parseConfigOrThrow, schemas, struct } from '@millrace/sdk'
import { expect, test } from 'vitest'
import type { SearchAnswer, SearchRequest } from '../../../../connectors/elasticsearch/client.ts'
import { config } from '../../../../connectors/elasticsearch/config.ts'
import { Resources } from '../../../../connectors/elasticsearch/resources.ts'

/** A server that knows indices by name with their mappings, and hears what is asked. */
function setUp(raw: Record<string, string> = {}, indices: Record<string, object> = {}) {
  const asked: string[] = []
  const answerTo = ({ method, path, body }: SearchRequest): Partial<SearchAnswer> => {
    asked.push(`${method} ${path}`)
    const name = decodeURIComponent(path.split('/')[1]!)
    if (method === 'HEAD') return { statusCode: name in indices ? 200 : 404 }
    if (path.startsWith('/_data_stream/') || name === 'refused') {
      return { statusCode: 400, body: { error: { type: 'illegal_argument_exception', reason: 'no template' } } }
    }
    if (method === 'GET') return { statusCode: 200, body: { [name]: { mappings: indices[name] } } }
    indices[name] = path.endsWith('/_mapping') ? body! : ((body as { mappings?: object }).mappings ?? {})
    return { statusCode: 200 }
  }
  const server = {
    kind: 'elasticsearch-9' as const,
    request: async (request: SearchRequest) => ({ statusCode: 200, headers: {}, body: null, ...answerTo(request) }),
    close: async () => {},
  }
  const parsed = parseConfigOrThrow(config, { 'connection.url': 'http://localhost:9200', ...raw })
  return { asked, indices, resources: new Resources(server, parsed) }
}

const schema = struct({ n: schemas.int32 })
const mapping = { properties: { n: { type: 'integer' } } }

test('an index that is missing is made with the mapping of its schema, once', async () => {
  const { asked, indices, resources } = setUp()
  expect(resources.isReady('a', schema)).toBe(false)
  await resources.ensure('a', schema)
  expect(indices).toEqual({ a: mapping })
  expect(asked).toEqual(['HEAD /a', 'PUT /a'])
  expect(resources.isReady('a', schema)).toBe(true)
  resources.forget('a')
  expect(resources.isReady('a', schema)).toBe(false)
})

test('an index whose first record was a deletion gets its mapping from the first document', async () => {
  const { indices, resources } = setUp()
  await resources.ensure('a', null)
  expect(resources.isReady('a', null)).toBe(true)
  expect(resources.isReady('a', schema)).toBe(false)
  await resources.ensure('a', schema)
  expect(indices).toEqual({ a: mapping })
})

test('an index keeps the mapping that it has, and documents that are maps need none', async () => {
  const own = { properties: { n: { type: 'keyword' } } }
  const { indices, resources } = setUp({}, { a: own })
  await resources.ensure('a', schema)
  expect(indices).toEqual({ a: own })
  await resources.ensure('b', mapOf(schemas.string, schemas.int32))
  expect(indices).toEqual({ a: own, b: {} })
})

test('what cannot be made is an error that names it', async () => {
  await expect(setUp().resources.ensure('refused', null)).rejects.toThrow('the index "refused" cannot be made')
  const stream = setUp({ 'data.stream.type': 'logs', 'data.stream.dataset': 'shop' })
  await expect(stream.resources.ensure('logs-shop-a', null)).rejects.toThrow('is there an index template for it?')
  const external = setUp({ 'external.resource.usage': 'index', 'topic.to.external.resource.mapping': 'a:b' })
  await expect(external.resources.ensure('b', null)).rejects.toThrow('does not exist; create it')
})
