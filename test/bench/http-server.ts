/**
 * The server of the HTTP cases, a process of its own: takes arrays of records and counts them, and gives records in pages.
 * Its first line of output is its port.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const RECORDS = Number(process.argv[2])
const PAGE = 1000
const RECORD = Buffer.from('{"id":')
const FIRST_MS = Date.UTC(2024, 0, 1)

let counted = 0
/** Made once: what is measured is who asks. */
const pages = Array.from({ length: Math.ceil(RECORDS / PAGE) }, (_, page) => {
  const items = Array.from({ length: Math.min(PAGE, RECORDS - page * PAGE) }, (_item, index) => {
    const id = page * PAGE + index
    const updated = new Date(FIRST_MS + id).toISOString()
    return { id, updated, name: `customer ${id % 10_000}`, note: 'a few words that are the same each time' }
  })
  const next = (page + 1) * PAGE < RECORDS ? String(page + 1) : null
  return Buffer.from(JSON.stringify({ items, next }))
})

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  for (let at = body.indexOf(RECORD); at >= 0; at = body.indexOf(RECORD, at + RECORD.length)) counted++
  response.end()
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  if (request.method === 'POST') void take(request, response)
  else if (pathname === '/pages') {
    response.setHeader('content-type', 'application/json')
    response.end(pages[Number(searchParams.get('cursor') ?? 0)])
  } else {
    // Who asks for the count begins anew with it where it says so.
    response.end(String(counted))
    if (searchParams.has('reset')) counted = 0
  }
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
