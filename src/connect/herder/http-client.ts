/** A request to another worker. */
export interface HttpRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | null
  readonly timeoutMs: number
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** HTTP as a parameter; rejects when no answer comes. */
export type HttpClient = (request: HttpRequest) => Promise<HttpResponse>
