import { ConnectError } from '@millrace/sdk'
import type { AnswerHeaders } from './failures.ts'
import type { Offset } from './items.ts'
import { type JsonPointer, parsePointer, textAt } from './json-pointer.ts'
import type { HttpSourceConfig } from './source-config.ts'
import { compileTemplate, type Scope, type Template } from './template.ts'
import type { HttpRequest } from './transport.ts'
import { parsePairs } from './words.ts'

/** Makes requests of the templates. */
export class RequestTemplates {
  readonly config: HttpSourceConfig
  readonly nextPointer: JsonPointer
  readonly #url: Template
  readonly #params: Template
  readonly #headers: Template
  readonly #body: Template

  constructor(config: HttpSourceConfig) {
    this.config = config
    this.nextPointer = parsePointer(config['http.pagination.next.pointer'])
    this.#url = compileTemplate(config['http.request.url'])
    this.#params = compileTemplate(config['http.request.params'])
    this.#headers = compileTemplate(config['http.request.headers'])
    this.#body = compileTemplate(config['http.request.body'])
  }

  request(scope: Scope, pageValue: string | undefined): HttpRequest {
    const url = new URL(this.#url.render(scope))
    for (const [name, value] of Object.entries(parsePairs(this.#params.render(scope), '&', '='))) {
      url.searchParams.append(name, value)
    }
    const param = this.config['http.pagination.param']
    if (param !== '' && pageValue !== undefined) url.searchParams.set(param, pageValue)
    return { ...this.plain(scope), url: url.href }
  }

  /** Without a URL: the server has given it. */
  plain(scope: Scope): Omit<HttpRequest, 'url'> {
    const body = this.#body.render(scope)
    return {
      method: this.config['http.request.method'],
      headers: parsePairs(this.#headers.render(scope), ',', ':'),
      ...(body === '' ? {} : { body }),
    }
  }
}

export interface Page {
  readonly url: string
  readonly headers: AnswerHeaders
  readonly document: unknown
  readonly items: number
}

/** One walk over the pages of a list. All of its requests have the offset that it began with. */
export class PageWalk {
  readonly #templates: RequestTemplates
  readonly #offset: Offset
  #number: number
  #records = 0
  #pages = 0
  #cursor: string | undefined
  #nextUrl: string | undefined
  #isDone = false

  constructor(templates: RequestTemplates, offset: Offset) {
    this.#templates = templates
    this.#offset = offset
    this.#number = templates.config['http.pagination.page.start']
  }

  get isDone(): boolean {
    return this.#isDone
  }

  /** The request of the page that comes next. */
  request(): HttpRequest {
    const page = { number: String(this.#number), offset: String(this.#records), cursor: this.#cursor }
    const scope = { offset: this.#offset, page }
    try {
      if (this.#nextUrl !== undefined) return { ...this.#templates.plain(scope), url: this.#nextUrl }
      return this.#templates.request(scope, this.#pageValue())
    } catch (error) {
      throw new ConnectError(`the request cannot be made: ${(error as Error).message}`, { cause: error })
    }
  }

  /** Ends the walk: nothing that is new can follow. */
  end(): void {
    this.#isDone = true
  }

  /** Takes notice of a page, and finds out how to go on. */
  advance(page: Page): void {
    const { config } = this.#templates
    this.#pages++
    this.#number++
    this.#records += page.items
    switch (config['http.pagination.mode']) {
      case 'none':
        this.#isDone = true
        break
      case 'link':
        this.#advanceTo(page)
        break
      case 'cursor': {
        const cursor = textAt(page.document, this.#templates.nextPointer)
        if (cursor !== undefined && cursor === this.#cursor)
          throw new ConnectError('the server gave the same cursor twice')
        this.#cursor = cursor
        this.#isDone = cursor === undefined || cursor === '' || cursor === 'false'
        break
      }
      default:
        this.#isDone = page.items === 0 || page.items < config['http.pagination.page.size']
    }
    const most = config['http.pagination.max.pages']
    if (!this.#isDone && this.#pages >= most) {
      throw new ConnectError(
        `there are more than http.pagination.max.pages=${most} pages; check the pagination, or raise it`,
      )
    }
  }

  #advanceTo(page: Page): void {
    const { config, nextPointer } = this.#templates
    const next =
      config['http.pagination.next.pointer'] === '' ? nextLink(page.headers) : textAt(page.document, nextPointer)
    this.#isDone = next === undefined || next === ''
    if (this.#isDone) return
    const url = URL.parse(next!, page.url)
    const { origin, href } = new URL(page.url)
    if (url === null) throw new ConnectError(`the server gave "${next}" as the next page, which is no URL`)
    if (url.href === href) throw new ConnectError(`the server gave ${href} as the page that follows itself`)
    if (url.origin !== origin) {
      throw new ConnectError(
        `the next page is at ${url.origin}, but the login is only for ${origin}; check http.request.url`,
      )
    }
    this.#nextUrl = url.href
  }

  #pageValue(): string | undefined {
    switch (this.#templates.config['http.pagination.mode']) {
      case 'cursor':
        return this.#cursor
      case 'page':
        return String(this.#number)
      case 'offset':
        return String(this.#records)
      default:
        return undefined
    }
  }
}

/** The target of rel="next" of Link headers (RFC 8288). */
function nextLink(headers: AnswerHeaders): string | undefined {
  const values = headers['link']
  const text = typeof values === 'string' ? values : (values?.join(',') ?? '')
  for (const [, target, params] of text.matchAll(/<([^>]*)>((?:\s*;\s*[^;,="]+(?:=(?:"[^"]*"|[^;,"]*))?)*)/g)) {
    const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^;,\s]*))/i.exec(params!)
    const names = (relation?.[1] ?? relation?.[2] ?? '').toLowerCase().split(/\s+/)
    if (names.includes('next')) return target
  }
  return undefined
}
