import { ConnectError, type Schema } from '@millrace/sdk'
import type { SearchServer } from './client.ts'
import type { ElasticsearchConfig } from './config.ts'
import { mappingOf } from './mapping.ts'

const KNOWN_MAX = 10_000

/** Sees to it that indices and data streams are there before something is written to them. */
export class Resources {
  readonly #server: SearchServer
  readonly #config: ElasticsearchConfig
  /** What is there, and whether a schema has been asked for its mapping yet. */
  readonly #known = new Map<string, { isMapped: boolean }>()

  constructor(server: SearchServer, config: ElasticsearchConfig) {
    this.#server = server
    this.#config = config
  }

  /** True when nothing needs to be done before a record of this schema is written. */
  isReady(name: string, schema: Schema | null): boolean {
    const known = this.#known.get(name)
    return known !== undefined && (known.isMapped || !givesMapping(schema))
  }

  /** The resource was gone when something was written to it. */
  forget(name: string): void {
    this.#known.delete(name)
  }

  /** Makes what is missing; the schema, if there is one, gives the mapping of an index. */
  async ensure(name: string, schema: Schema | null): Promise<void> {
    if (this.#config['external.resource.usage'] !== 'disabled') await this.#checkExternal(name)
    else if (this.#config['data.stream.type'] !== 'none') await this.#ensureStream(name)
    else await this.#ensureIndex(name, schema)
    if (this.#known.size >= KNOWN_MAX) this.#known.clear()
    this.#known.set(name, { isMapped: givesMapping(schema) })
  }

  async #checkExternal(name: string): Promise<void> {
    const { statusCode } = await this.#server.request({ method: 'HEAD', path: pathOf(name), ignore: [404] })
    if (statusCode === 404) {
      throw new ConnectError(`"${name}" of topic.to.external.resource.mapping does not exist; create it`)
    }
  }

  async #ensureStream(name: string): Promise<void> {
    const { statusCode, body } = await this.#server.request({
      method: 'PUT',
      path: `/_data_stream/${encodeURIComponent(name)}`,
      ignore: [400, 404, 405],
    })
    const text = JSON.stringify(body ?? '')
    const exists = text.includes('resource_already_exists_exception')
    // A server without this API makes the stream with the first document.
    if (statusCode < 300 || exists || text.includes('no handler found') || statusCode !== 400) return
    throw new ConnectError(`the data stream "${name}" cannot be made; is there an index template for it? ${text}`)
  }

  async #ensureIndex(name: string, schema: Schema | null): Promise<void> {
    const path = pathOf(name)
    const mapping = givesMapping(schema) ? mappingOf(schema, this.#config['compact.map.entries']) : undefined
    const { statusCode } = await this.#server.request({ method: 'HEAD', path, ignore: [404] })
    if (statusCode === 404) {
      const made = await this.#server.request({
        method: 'PUT',
        path,
        body: mapping ? { mappings: mapping } : {},
        ignore: [400],
      })
      if (made.statusCode < 300) return
      const text = JSON.stringify(made.body ?? '')
      // Another task was faster.
      if (!text.includes('resource_already_exists_exception')) {
        throw new ConnectError(`the index "${name}" cannot be made: ${text}`)
      }
    }
    if (mapping && !(await this.#hasMapping(path))) {
      await this.#server.request({ method: 'PUT', path: `${path}/_mapping`, body: mapping })
    }
  }

  async #hasMapping(path: string): Promise<boolean> {
    const { body } = await this.#server.request({ method: 'GET', path: `${path}/_mapping` })
    const indices = Object.values(body as Record<string, { mappings?: { properties?: object } }>)
    return indices.some(({ mappings }) => Object.keys(mappings?.properties ?? {}).length > 0)
  }
}

/** Of other schemas than structs the server has to infer the mapping. */
function givesMapping(schema: Schema | null): schema is Schema {
  return schema?.type === 'STRUCT'
}

function pathOf(name: string): string {
  return `/${encodeURIComponent(name)}`
}
