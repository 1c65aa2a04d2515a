import {
  ConnectError,
  isConnectError,
  type PollResult,
  type SourcePosition,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '@millrace/sdk'
import { realPauses, withRetries } from '../_shared/retry/index.ts'
import { HttpClient } from './client.ts'
import { failureOf, StatusError } from './failures.ts'
import { type Item, ItemReader, type Offset } from './items.ts'
import { parseJson } from './json-pointer.ts'
import { type FilterKind, NewsFilter } from './news-filter.ts'
import { PageWalk, RequestTemplates } from './page-walk.ts'
import { type HttpSourceConfig, simpleName } from './source-config.ts'
import { PARTITION, RecordMaker } from './source-records.ts'
import { sourceClientSettings } from './source-settings.ts'
import type { HttpAnswer } from './transport.ts'
import { parsePairs, parseRanges } from './words.ts'

const BATCH = 5000
const BACKOFF_MAX_MS = 60_000

const FILTERS: Readonly<Record<string, FilterKind>> = {
  OffsetTimestampRecordFilterFactory: 'timestamp',
  PassthroughRecordFilterFactory: 'none',
}

/** One look at the list: its pages, and what was not yet given away because its order is not known. */
interface Walk {
  readonly pages: PageWalk
  readonly filter: NewsFilter
  order: 'ASC' | 'DESC' | undefined
  held: Item[]
  leftBehind: Offset
  found: number
}

/** Asks for a list again and again, and gives what is new. */
export class HttpSourceTask implements SourceTask {
  readonly #config: HttpSourceConfig
  readonly #context: SourceTaskContext
  readonly #templates: RequestTemplates
  readonly #reader: ItemReader
  readonly #maker: RecordMaker
  readonly #isProcessed: (status: number) => boolean
  readonly #isSkipped: (status: number) => boolean
  #client: HttpClient | undefined
  #offset: Offset = {}
  #walk: Walk | undefined
  #ready: (SourceRecord | SourcePosition)[] = []
  #dueMs = 0

  constructor(config: HttpSourceConfig, context: SourceTaskContext) {
    this.#config = config
    this.#context = context
    this.#templates = new RequestTemplates(config)
    this.#reader = new ItemReader(config)
    this.#maker = new RecordMaker(config)
    this.#isProcessed = parseRanges(config['http.response.policy.codes.process'])
    this.#isSkipped = parseRanges(config['http.response.policy.codes.skip'])
  }

  async start(): Promise<void> {
    const stored = await this.#context.offsets.offset(PARTITION)
    const texts = Object.entries(stored ?? {}).map(([name, value]) => [name, String(value)] as const)
    this.#offset = { ...parsePairs(this.#config['http.offset.initial'], ',', '='), ...Object.fromEntries(texts) }
    this.#client = await HttpClient.open(sourceClientSettings(this.#config))
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    if (this.#ready.length > 0) return this.#ready.splice(0, BATCH)
    if (this.#walk === undefined) {
      const waitMs = this.#dueMs - performance.now()
      if (waitMs > 0) await realPauses.pause(waitMs, signal)
      if (signal.aborted) return null
      this.#walk = this.#newWalk()
    }
    const walk = this.#walk
    const request = walk.pages.request()
    try {
      const answer = await this.#ask(request, signal)
      this.#take(walk, request.url, answer)
    } catch (error) {
      if (signal.aborted) return null
      throw error
    }
    return this.#ready.splice(0, BATCH)
  }

  async stop(): Promise<void> {
    await this.#client?.close()
  }

  #newWalk(): Walk {
    const kind = FILTERS[simpleName(this.#config['http.record.filter.factory'])] ?? 'offset'
    const asked = this.#config['http.response.list.order.direction']
    // Without times nothing tells the order but the setting.
    const order = asked === 'IMPLICIT' ? (this.#reader.hasTimestamps ? undefined : 'ASC') : asked
    return {
      pages: new PageWalk(this.#templates, this.#offset),
      filter: new NewsFilter(kind, this.#offset),
      order,
      held: [],
      leftBehind: {},
      found: 0,
    }
  }

  #ask(request: Parameters<HttpClient['request']>[0], signal: AbortSignal): Promise<HttpAnswer> {
    const backoffMs = this.#config['http.retry.backoff.ms']
    const once = async (): Promise<HttpAnswer> => {
      const answer = await this.#client!.request({ ...request, signal })
      if (this.#isProcessed(answer.status) || this.#isSkipped(answer.status)) return answer
      throw new StatusError(
        `${request.method} ${withoutQuery(request.url)}`,
        answer.status,
        answer.headers,
        answer.body,
      )
    }
    return withRetries(once, {
      backoff: {
        maxRetries: this.#config['http.retry.max'],
        backoffMs,
        maxBackoffMs: Math.max(BACKOFF_MAX_MS, backoffMs),
      },
      classify: failureOf,
      signal,
      onRetry: ({ error }, retry, waitMs) =>
        this.#context.logger.warn({ err: error, retry, waitMs }, 'a request failed and is made again'),
    }).catch((error: unknown) => {
      // Once the retries are over the task ends, so that its restart policy and whoever watches it hear of it.
      const isFinal = isConnectError(error) && !error.retriable
      throw isFinal ? error : new ConnectError((error as Error).message, { cause: error })
    })
  }

  #take(walk: Walk, url: string, answer: HttpAnswer): void {
    const isEmpty = !this.#isProcessed(answer.status) || answer.body === ''
    const document = isEmpty ? null : this.#parse(url, answer)
    const items = isEmpty ? [] : this.#reader.items(document)
    walk.pages.advance({ url, headers: answer.headers, document, items: items.length })
    if (isEmpty) walk.pages.end()
    walk.leftBehind = { ...walk.leftBehind, ...(isEmpty ? {} : this.#reader.answerOffset(document)) }
    walk.held.push(...items)
    walk.order ??= orderOf(walk.held)
    if (walk.order === 'DESC' && items.some((item) => walk.filter.isOld(item))) walk.pages.end()
    if (walk.pages.isDone || (walk.order === 'ASC' && !walk.filter.needsAll)) this.#give(walk)
    else this.#bound(walk)
    if (walk.pages.isDone) this.#end(walk)
  }

  #parse(url: string, answer: HttpAnswer): unknown {
    try {
      return parseJson(answer.body)
    } catch (error) {
      const type = String(answer.headers['content-type'] ?? 'none')
      const message = `the answer of ${withoutQuery(url)} (content-type ${type}) is no JSON: ${(error as Error).message}`
      throw new ConnectError(message, { cause: error })
    }
  }

  #bound(walk: Walk): void {
    const most = this.#config['http.pagination.max.records']
    if (walk.held.length <= most) return
    // Oldest first: what was read before comes again, but nothing is lost by going on.
    if (walk.order === 'ASC') return this.#give(walk)
    throw new ConnectError(
      `more than http.pagination.max.records=${most} records have to be held back until the oldest is found; ask for fewer ` +
        'with a parameter of the offset, or raise it',
    )
  }

  /** Turns what is held into records, oldest first. */
  #give(walk: Walk): void {
    const items = walk.order === 'DESC' ? walk.held.reverse() : walk.held
    const news = walk.filter.news(items)
    walk.held = []
    walk.found += news.length
    for (const [index, item] of news.entries()) {
      // What a whole answer leaves behind counts once its last record is delivered.
      const isLast = index === news.length - 1
      this.#offset = { ...this.#offset, ...item.offset, ...(isLast ? walk.leftBehind : {}) }
      this.#ready.push(this.#maker.record(item, this.#offset))
    }
    const isChanged = Object.entries(walk.leftBehind).some(([name, text]) => this.#offset[name] !== text)
    if (news.length === 0 && isChanged) {
      this.#offset = { ...this.#offset, ...walk.leftBehind }
      this.#ready.push({ topic: null, sourcePartition: PARTITION, sourceOffset: this.#offset })
    }
    walk.leftBehind = {}
  }

  #end(walk: Walk): void {
    this.#walk = undefined
    const isFixed = simpleName(this.#context.raw['http.timer'] ?? '').startsWith('Fixed')
    const catchesUp = walk.found > 0 && !isFixed
    const key = catchesUp ? 'http.timer.catchup.interval.millis' : 'http.timer.interval.millis'
    this.#dueMs = performance.now() + this.#config[key]
  }
}

/** The order that the times show; undefined while they are all the same. */
function orderOf(items: readonly Item[]): 'ASC' | 'DESC' | undefined {
  const first = items.find(({ timestampMs }) => timestampMs !== undefined)?.timestampMs
  const last = items.findLast(({ timestampMs }) => timestampMs !== undefined)?.timestampMs
  if (first === undefined || last === undefined || first === last) return undefined
  return first < last ? 'ASC' : 'DESC'
}

/** For messages: a query may hold a secret. */
function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
