import { basic } from './auth.ts'

/** An HTTP proxy to go through, with the value of `Proxy-Authorization` where it asks for a user. */
export interface Proxy {
  readonly url: string
  readonly token: string | undefined
}

/** The proxy that the options name; an empty host is none, an empty user needs no login. */
export function proxyAt(host: string, port: number, user: string, password: string): Proxy | null {
  if (host === '') return null
  return { url: `http://${host}:${port}`, token: user === '' ? undefined : basic(user, password) }
}
